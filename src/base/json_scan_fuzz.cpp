// Any split of any bytes gives the same tokens at the same places.  The first byte chooses the split.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/json_scan.hpp"

namespace {

struct Tokens final : akr::JsonScan::Visitor {
  void scalar(const akr::JsonScan& at, std::string_view text) override {
    all += std::string(at.pointer()) + '\0' + std::string(at.member(1)) + '\0' + std::string(text) + '\0';
    all += at.inside("a") ? '+' : '-';
  }
  std::string all;
};

std::string scan(std::string_view input, std::size_t step) {
  Tokens tokens;
  akr::JsonScan scan;
  while (!input.empty() && scan.feed(input.substr(0, step), tokens)) {
    input.remove_prefix(std::min(step, input.size()));
  }
  return tokens.all;
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::string whole = scan(input, input.size() + 1);
  require(scan(input, 1) == whole, "byte by byte");
  require(scan(input, std::size_t{bytes[0]} + 1) == whole, "in pieces");
  return 0;
}
