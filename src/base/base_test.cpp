#include <gtest/gtest.h>

#include "base/secret.hpp"
#include "base/strings.hpp"
#include "base/time_text.hpp"

namespace akr {
namespace {

TEST(Secret, MasksByVendorPrefixAndLastFour) {
  EXPECT_EQ(Secret("sk-proj-abcdefghijklmnop9xyz").masked(), "sk-proj-…9xyz");
  EXPECT_EQ(Secret("abcdefghijklmnop").masked(), "abcd…mnop");
  EXPECT_EQ(Secret("short").masked(), "****");
}

TEST(Secret, ComparesWholeBytes) {
  const Secret secret("0123456789abcdef");
  EXPECT_TRUE(secret.equals("0123456789abcdef"));
  EXPECT_FALSE(secret.equals("0123456789abcdeg"));
  EXPECT_FALSE(secret.equals("0123456789abcde"));
}

TEST(Secret, WipesWhatItHeldWhenMovedFrom) {
  Secret first("tiny");
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the promise under test
  EXPECT_EQ(second.expose(), "tiny");
}

TEST(Strings, ParsesOnlyWholeUnsignedNumbers) {
  EXPECT_EQ(parse_u64("42"), 42U);
  for (const char* bad : {"", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616"})
    EXPECT_FALSE(parse_u64(bad)) << bad;
}

TEST(Strings, PercentCodingRoundTrips) {
  EXPECT_EQ(percent_encode("a b&c/é"), "a%20b%26c%2F%C3%A9");
  EXPECT_EQ(percent_decode("a%20b%26"), "a b&");
  EXPECT_FALSE(percent_decode("%2"));
  EXPECT_FALSE(percent_decode("%zz"));
}

TEST(Strings, SplitKeepsEmptyParts) { EXPECT_EQ(split(",a,", ',').size(), 3U); }

TEST(TimeText, FormatsAndParsesHttpDates) {
  const WallTime time(std::chrono::milliseconds(784111777123));
  EXPECT_EQ(format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_rfc3339(time), "1994-11-06T08:49:37.123Z");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), WallTime(std::chrono::seconds(784111777)));
  EXPECT_FALSE(parse_http_date("tomorrow"));
}

}  // namespace
}  // namespace akr
