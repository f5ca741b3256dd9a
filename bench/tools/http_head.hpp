// A parser for HTTP/1.1 heads, as much as a fake provider and a load generator need.  It trusts its peer (both ends
// belong to the benchmark): it finds the length of the message, it does not validate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace akr::bench {

struct Head {
  std::size_t size = 0;     // bytes up to and including the empty line
  int status = 0;           // of a response; 0 for a request
  std::string_view target;  // of a request; points into the parsed data
  std::uint64_t content_length = 0;
  bool has_length = false;
  bool chunked = false;
  bool close = false;  // "Connection: close" was there
};

// Nothing if the empty line has not arrived yet.
std::optional<Head> parse_head(std::string_view data);

// The value of `name` in the query of `target`, or `fallback` when absent or not a number.
double query_number(std::string_view target, std::string_view name, double fallback);

}  // namespace akr::bench
