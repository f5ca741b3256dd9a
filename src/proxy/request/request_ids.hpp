// request_ids.hpp - what a request is called in answers, logs and traces.
#pragma once

#include <cstdint>
#include <string>

#include "net/http/http1.hpp"

namespace akr {

// Used by one thread.
class RequestIds {
 public:
  RequestIds();
  explicit RequestIds(std::uint64_t seed) : state_(seed) {}

  // The client's own X-Request-Id if it is harmless wherever it is shown (letters, digits, "-_.:", up to 128 of them),
  // else a new one of 13 characters.  Unique enough to find a request in a log; nothing secret depends on it.
  std::string id_of(const net::MessageHead& head);

 private:
  std::uint64_t state_;
};

}  // namespace akr
