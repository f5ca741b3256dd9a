#include "report.hpp"

#include <cstdio>

namespace akr::bench {

void Report::add(std::string_view key, std::uint64_t value) { add(key, std::string_view(std::to_string(value))); }

void Report::add(std::string_view key, double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", value);
  add(key, std::string_view(text));
}

void Report::add(std::string_view key, std::string_view value) {
  if (!line_.empty()) line_ += ' ';
  line_.append(key).append("=").append(value);
}

void Report::print() const {
  std::printf("%s\n", line_.c_str());
  std::fflush(stdout);
}

}  // namespace akr::bench
