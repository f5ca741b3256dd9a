// An upstream's Retry-After of -5, of 10^20 or of the year 9999 reached the client, whose SDK slept for it or fell over
// it.  The kind: a number of somebody else's that our client acts on.
#include "proxy/answer/retry_fields.hpp"

#include <random>

#include <gtest/gtest.h>

#include "base/time_text.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{std::chrono::seconds(1'795'000'000)};

std::string told(std::string_view value, std::string_view name = "Retry-After") {
  const std::string text =
      "HTTP/1.1 429 x\r\n" + std::string(name) + ": " + std::string(value) + "\r\nContent-Length: 0\r\n\r\n";
  net::MessageHead head;
  EXPECT_EQ(head.parse_response(text, false), net::ParseStatus::kDone) << value;
  EXPECT_TRUE(is_retry_hint(head.field(0))) << name;
  return told_retry(head.field(0), kNow);
}

TEST(RetryFields, AnHonestValueStaysAsItWasWritten) {
  for (const char* honest : {"0", "7", "007", "7.5", "2678400", "6m0s", "86400"}) EXPECT_EQ(told(honest), honest);
  for (const auto wait : {-3600s, 0s, 60s, 86400s}) {
    const std::string date = format_http_date(kNow + wait);
    EXPECT_EQ(told(date), date);
  }
  EXPECT_EQ(told("1500", "retry-after-ms"), "1500");
  EXPECT_EQ(told("1500.5", "X-MS-Retry-After-Ms"), "1500.5");
}

TEST(RetryFields, NonsenseIsLeftOut) {
  for (const char* bad : {"-1", "-0.5", "100000000000000000000", "1e30", "soon", "", "NaN", "inf", "0x10", "1,2", "--1",
                          "Fri, 31 Dec 9999 23:59:59 GMT", "99999999999999999999999999999999999999"})
    EXPECT_EQ(told(bad), "") << bad;
  for (const char* bad : {"-1", "1e9", "x", "", "100000000000000000000"})
    EXPECT_EQ(told(bad, "retry-after-ms"), "") << bad;
}

TEST(RetryFields, ALongWaitIsAsLongAsOurOwn) {
  EXPECT_EQ(told("2678401"), "2678400");
  EXPECT_EQ(told("999999999"), "2678400");
  EXPECT_EQ(told(format_http_date(kNow + 24h * 365)), "2678400");
  EXPECT_EQ(told("900h0m0s"), "2678400");
  EXPECT_EQ(told("99999999999", "retry-after-ms"), "2678400000");
}

// A client takes it for a number of seconds: 57 years.
TEST(RetryFields, APointInTimeBecomesAWait) {
  EXPECT_EQ(told("1795000060"), "60");
  EXPECT_EQ(told("1795000060000"), "60");
  EXPECT_EQ(told("1700000000"), "0");
  EXPECT_EQ(told("1995000000"), "2678400");
}

TEST(RetryFields, WhateverIsToldIsAWaitThatWeWouldKeep) {
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string value;
    for (auto length = random() % 12; length > 0; --length) value += "0123456789.-+e:smh ,FriGMT"[random() % 26];
    const std::string down = told(value);
    if (down.empty()) continue;
    EXPECT_NE(down.front(), '-') << value;
    if (down.find_first_not_of("0123456789") == std::string::npos && down.size() < 20)
      EXPECT_LE(std::stoull(down), 2'678'400U) << value;
  }
}

}  // namespace
}  // namespace akr
