// Sentences that say when a limit ends went unread: "reset after 24h" was tried again every minute, all day.
#include <string>

#include <gtest/gtest.h>

#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow{std::chrono::seconds(1'795'379'553)};  // 2026-11-22T20:32:33Z

TEST(ResetPhrase, ADurationIsFound) {
  const std::pair<const char*, Duration> cases[] = {
      {"resource has been exhausted (e.g. check quota). (reset after 24h)", hours(24)},
      {"your quota will reset after 109h12m3s.", seconds(109 * 3600 + 12 * 60 + 3)},
      {"limit reached. resets in 109h12m3s", seconds(109 * 3600 + 12 * 60 + 3)},
      {"the limit resets in about 3 days", hours(72)},
      {"request was throttled. expected available in 31 seconds.", seconds(31)},
      {"please wait 34.5s before the next request", milliseconds(34'500)},
      {"slow down: wait for 2 minutes", minutes(2)},
      {"too many requests: retry after 35", seconds(35)},
      {"retry your request after 10 seconds", seconds(10)},
      {R"({"fault":{"retry_after": 12}})", seconds(12)},
      {R"({"fault":{"retry-after":"12"}})", seconds(12)},
      {"you are blocked for 1 hour", hours(1)},
      {"quota reset time: 45m", minutes(45)},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(find_reset_phrase(text, kNow), expected) << text;
}

TEST(ResetPhrase, ADateIsFoundWithAndWithoutAZone) {
  const std::pair<const char*, Duration> cases[] = {
      {"weekly/monthly limit exhausted. your limit will reset at 2026-11-25 20:32:33", hours(72)},
      {"resets at 2026-11-22t21:32:33z.", hours(1)},
      {"resets at 2026-11-22t22:32:33+01:00", hours(1)},
      {"reset on 2026-11-22 21:32:33 utc", hours(1)},
      {"try again at 2026-11-23 05:32 (utc+8)", minutes(59) + seconds(27)},
      {"available again on 2026-11-23", seconds(3 * 3600 + 27 * 60 + 27)},
      {"your access is suspended until nov 22nd, 2026 9:32 pm.", minutes(59) + seconds(27)},
      {"retry after sun, 22 nov 2026 21:32:33 gmt", hours(1)},
      {"limit resets: 22 november 2026, 12:33 pst", seconds(27)},
      {"reset at 1795379600", seconds(47)},
      {"reset_at=1795379600000;", seconds(47)},
      {"\xe6\x82\xa8\xe7\x9a\x84\xe9\x99\x90\xe9\xa2\x9d\xe5\xb0\x86\xe5\x9c\xa8 2026-11-22 21:32:33 \xe9\x87\x8d",
       hours(1)},
      {"resets at 2020-01-01 00:00:00", seconds(0)},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(find_reset_phrase(text, kNow), expected) << text;
}

TEST(ResetPhrase, WhatIsNoTimeIsPassedOver) {
  for (const char* text :
       {"", "reset", "resets", "please try again later", "reset your password", "resets at 3pm", "wait for 5 requests",
        "available in 2 models", "retry after fixing 3 messages", "preset 5s", "retry limit: 3 of 5", "until",
        "resets at 2026-13-45", "resets in 99999999999999999999 days", "resets on may", "available: 7",
        "retry after -5 seconds", "wait (((((((((((((((((((((((((((", "retry the request after your limit is"}) {
    EXPECT_EQ(find_reset_phrase(text, kNow), std::nullopt) << text;
  }
}

// Found by the fuzzer: the distance to a date of another age overflowed.
TEST(ResetPhrase, DatesOfOtherAgesAreNoOverflow) {
  EXPECT_EQ(find_reset_phrase("reset at 1013-09-09 03:30:06", kNow), seconds(0));
  EXPECT_EQ(find_reset_phrase("reset at 9999-09-09 03:30:06", kNow), std::nullopt);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow), std::nullopt);
  EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z", kNow), seconds(0));
}

// The first words of an end are followed for so long only: a text of nothing else costs no more than its length.
TEST(ResetPhrase, AHostileTextIsReadOnce) {
  std::string text;
  while (text.size() < 1'000'000) text += "reset in about the ";
  EXPECT_EQ(find_reset_phrase(text, kNow), std::nullopt);
  EXPECT_EQ(find_reset_phrase("reset in " + std::string(1'000'000, '9'), kNow), std::nullopt);
  EXPECT_EQ(find_reset_phrase("reset" + std::string(200, ' ') + "in 5s", kNow), std::nullopt);
}

}  // namespace
}  // namespace akr
