// Names were compared one letter at a time; now eight at once, where a sum may reach over into the next letter.  The
// kind: a faster comparison that finds two different texts equal, or the other way round.
#include "base/strings.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace akr {
namespace {

char plain_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

TEST(Strings, EveryPairOfBytesIsComparedAsOneByOneAtEveryPlace) {
  for (std::size_t size : {1, 7, 8, 9, 16, 17}) {
    for (int left = 0; left < 256; ++left) {
      for (int right = 0; right < 256; ++right) {
        std::string a(size, 'q'), b(size, 'Q');
        const std::size_t at = static_cast<std::size_t>(left + right) % size;
        a[at] = static_cast<char>(left);
        b[at] = static_cast<char>(right);
        ASSERT_EQ(iequals(a, b), plain_lower(a[at]) == plain_lower(b[at])) << size << ' ' << left << ' ' << right;
      }
    }
  }
}

TEST(Strings, APrefixIsComparedWithoutCaseAndWithoutItsRest) {
  EXPECT_TRUE(istarts_with("Transfer-Encoding: x", "transfer-ENCODING"));
  EXPECT_FALSE(istarts_with("Transfer-Encodin", "transfer-encoding"));
  EXPECT_FALSE(istarts_with("Transfer_Encoding", "transfer-encoding"));
  EXPECT_FALSE(iequals("close", "closed"));
  EXPECT_TRUE(iequals("", ""));
}

TEST(Strings, PartsAreTakenUntilNothingIsLeft) {
  const auto parts_of = [](std::string_view text) {
    std::vector<std::string_view> parts;
    while (!text.empty()) parts.push_back(take_part(text, ','));
    return parts;
  };
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(parts_of(""), Parts{});
  EXPECT_EQ(parts_of("a"), Parts{"a"});
  EXPECT_EQ(parts_of("a,,b"), (Parts{"a", "", "b"}));
  EXPECT_EQ(parts_of(",a,"), (Parts{"", "a"}));  // behind the last separator there is nothing to take
  std::string_view target = "/a?b?c";
  EXPECT_EQ(take_part(target, '?'), "/a");
  EXPECT_EQ(target, "b?c");
}

TEST(Strings, HexDigitsHaveTheirValueAndNothingElseHas) {
  constexpr std::string_view kLower = "0123456789abcdef", kUpper = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::size_t at = std::min(kLower.find(c), kUpper.find(c));
    EXPECT_EQ(hex_value(c), at == std::string_view::npos ? -1 : static_cast<int>(at)) << byte;
  }
}

}  // namespace
}  // namespace akr
