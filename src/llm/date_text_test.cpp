// Dates as providers write them: each form at its edges, and what only looks like a date.
#include <string>

#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow{seconds(1'795'379'553)};  // 2026-11-22T20:32:33Z, a Sunday

std::optional<Duration> loose(const std::string& text) { return read_loose_date(to_lower(text), kNow); }

TEST(DateText, OffsetsAreTakenAway) {
  EXPECT_EQ(parse_rfc3339("2026-11-22T20:32:33-00:00", kNow), seconds(0));
  EXPECT_EQ(parse_rfc3339("2026-11-23T10:32:33+14:00", kNow), seconds(0));
  EXPECT_EQ(parse_rfc3339("2026-11-22T20:32:34+00:00", kNow), seconds(1));
  EXPECT_EQ(parse_rfc3339(" 2026-11-22t20:33:33z\r\n", kNow), seconds(60));
  EXPECT_EQ(parse_rfc3339("2026-11-22T20:32:60Z", kNow), seconds(27));  // a leap second
}

TEST(DateText, WhatIsNoDateIsNone) {
  for (const char* wrong : {"",
                            "2026",
                            "2026-11",
                            "2026-11-",
                            "2026-02-29",
                            "2026-13-01",
                            "2026-00-10",
                            "2026-11-31",
                            "2026/11/23",
                            "20261123",
                            "2026-11-23T",
                            "2026-11-23T25:00:00Z",
                            "2026-11-23T20:60:00Z",
                            "2026-11-23T20:32:61Z",
                            "2026-11-23T20:32Z",
                            "2026-11-23T20:32:33",
                            "2026-11-23T20:32:33ZZ",
                            "2026-11-23T20:32:33+0100",
                            "2026-11-23T20:32:33+24:00",
                            "2026-11-23x20:32:33Z",
                            "-026-11-23T20:32:33Z",
                            "+026-11-23T20:32:33Z"}) {
    EXPECT_EQ(parse_rfc3339(wrong, kNow), std::nullopt) << wrong;
  }
}

TEST(DateText, LeapDaysExistEveryFourYearsButNotEveryHundred) {
  EXPECT_NE(parse_rfc3339("2028-02-29T00:00:00Z", kNow), std::nullopt);
  EXPECT_EQ(parse_rfc3339("2100-02-29T00:00:00Z", kNow), std::nullopt);
}

TEST(DateText, SentencesWriteMonthsInEveryOrder) {
  for (const char* text :
       {"2026-11-23", "23 Nov 2026", "23 November 2026", "Nov 23 2026", "Nov. 23, 2026", "November 23rd, 2026",
        "Mon, 23 Nov 2026", "Monday 23 Nov 2026", "Monday, November 23, 2026"}) {
    EXPECT_EQ(loose(text), hours(3) + minutes(27) + seconds(27)) << text;
  }
  EXPECT_EQ(loose("Dec 1, 2026"), hours(8 * 24 + 3) + minutes(27) + seconds(27));
  EXPECT_EQ(loose("May 1st, 2027"), hours(159 * 24 + 3) + minutes(27) + seconds(27));
}

TEST(DateText, SentencesWriteTimesInEveryForm) {
  for (const char* text :
       {"2026-11-22 21:32:33", "2026-11-22T21:32:33Z", "2026-11-22 at 21:32:33 UTC", "2026-11-22, 21:32:33.711 (GMT)",
        "2026-11-22 9:32:33 PM", "Nov 22, 2026, 9:32:33 p.m.", "22 Nov 2026 21:32:33 GMT", "2026-11-22 22:32:33 +01:00",
        "2026-11-22 22:32:33+0100", "2026-11-22 22:32:33 UTC+1", "2026-11-22 13:32:33 PST", "2026-11-22 16:32:33 EST",
        "2026-11-22 14:32:33 PDT", "2026-11-22 16:02:33 -05:30"}) {
    EXPECT_EQ(loose(text), hours(1)) << text;
  }
  EXPECT_EQ(loose("2026-11-22 20:33"), seconds(27));
  EXPECT_EQ(loose("2026-11-23 12:00 am"), hours(3) + minutes(27) + seconds(27));   // midnight
  EXPECT_EQ(loose("2026-11-23 12:00 pm"), hours(15) + minutes(27) + seconds(27));  // noon
}

TEST(DateText, WhatFollowsADateIsNoPartOfIt) {
  const Duration midnight = hours(3) + minutes(27) + seconds(27);
  EXPECT_EQ(loose("2026-11-23."), midnight);
  EXPECT_EQ(loose("2026-11-23 for this key"), midnight);
  EXPECT_EQ(loose("2026-11-23 99:00"), midnight);
  EXPECT_EQ(loose("Nov 23, 2026 or later"), midnight);
  EXPECT_EQ(loose("2026-11-23 00:00 +99:00"), midnight);  // no zone of this world
}

TEST(DateText, SentencesWithoutADateHaveNone) {
  for (const char* text : {"", "tomorrow", "Nov", "Nov 2026", "23 2026", "Foo 23, 2026", "Feb 30, 2026", "32 Nov 2026",
                           "Monday", "12:30 pm", "Nov 23, 26"}) {
    EXPECT_EQ(loose(text), std::nullopt) << text;
  }
}

TEST(DateText, APastDateIsNoWait) {
  EXPECT_EQ(loose("1 Jan 1970"), seconds(0));
  EXPECT_EQ(parse_rfc3339("0000-01-01", kNow), seconds(0));
}

}  // namespace
}  // namespace akr
