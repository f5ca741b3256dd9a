// resolver.hpp - names to addresses by c-ares on the worker's own loop: a slow name stalls nobody else.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/task.hpp"
#include "net/worker.hpp"

namespace akr::net {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;
};

class Resolver {
 public:
  explicit Resolver(Worker& worker);
  ~Resolver();
  // All addresses of `host`, IPv6 first, in the order to try; `port` filled in.  Literals are answered at once.
  // Cached for the record's TTL, at most 60 s (D39), at least 1 s; failures for 5 s; concurrent askers share one query.
  // Opens no socket and reads no file before the first name.  kUpstreamUnresolved, kUpstreamConnectTimeout.
  Task<Result<std::vector<SocketAddress>>> resolve(std::string host, std::uint16_t port, TimePoint deadline);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace akr::net
