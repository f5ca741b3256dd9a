// Command-line options of the benchmark programs: --name=value, given at most once, except the repeatable ones.
// An unknown name, a missing value or a malformed number ends the program with status 2: a mistyped option must not
// silently measure something else.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace akr::bench {

class Options {
 public:
  // `defaults` is the list of all known names; the values given on the command line replace the defaults.
  // Options named in `repeatable` collect every occurrence instead.
  using Defaults = std::map<std::string, std::string, std::less<>>;
  Options(const std::vector<std::string>& arguments, Defaults defaults,
          const std::vector<std::string>& repeatable = {});

  // REQUIRES: the name was declared in the constructor.
  const std::string& text(std::string_view name) const;
  std::uint64_t number(std::string_view name) const;
  double real(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;

 private:
  void take(std::string_view argument);

  Defaults values_;
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
};

// Process ids from a comma-separated list.
std::vector<int> parse_pids(std::string_view text);

}  // namespace akr::bench
