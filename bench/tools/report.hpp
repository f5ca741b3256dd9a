// One line of key=value pairs, the output of every benchmark program.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace akr::bench {

class Report {
 public:
  void add(std::string_view key, std::uint64_t value);
  void add(std::string_view key, double value);            // three decimals
  void add(std::string_view key, std::string_view value);  // REQUIRES: no spaces in the value

  // Writes the line to standard output at once: a reader may be waiting for it.
  void print() const;

 private:
  std::string line_;
};

}  // namespace akr::bench
