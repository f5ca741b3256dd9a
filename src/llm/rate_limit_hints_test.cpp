#include "llm/rate_limit_hints.hpp"

#include <gtest/gtest.h>

#include "base/time_text.hpp"

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

WallTime at(std::string_view text) {
  const auto since_epoch = parse_rfc3339(text, WallTime{});
  EXPECT_TRUE(since_epoch) << text;
  return WallTime(std::chrono::duration_cast<milliseconds>(since_epoch.value_or(Duration::zero())));
}

const WallTime kNow = at("2026-11-22T20:32:33Z");

TEST(RetryAfter, TakesSecondsAndDates) {
  EXPECT_EQ(parse_retry_after("7", kNow), seconds(7));
  EXPECT_EQ(parse_retry_after(" 7.5 ", kNow), seconds(8));
  EXPECT_EQ(parse_retry_after("0", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("Sun, 22 Nov 2026 20:33:33 GMT", kNow), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 22 Nov 2026 20:00:00 GMT", kNow), seconds(0));
  for (const char* bad : {"", "-1", "abc", "7s", "1e9", "inf", "nan", "0x10", "7,5", "99999999999999999999"}) {
    EXPECT_EQ(parse_retry_after(bad, kNow), std::nullopt) << bad;
  }
}

TEST(Milliseconds, AreExact) {
  EXPECT_EQ(parse_milliseconds("1500"), milliseconds(1500));
  EXPECT_EQ(parse_milliseconds("0.5"), std::chrono::microseconds(500));
  EXPECT_EQ(parse_milliseconds("-1"), std::nullopt);
}

TEST(GoDuration, ReadsEveryUnit) {
  EXPECT_EQ(parse_go_duration("12ms"), milliseconds(12));
  EXPECT_EQ(parse_go_duration("1s"), seconds(1));
  EXPECT_EQ(parse_go_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parse_go_duration("6m0s"), minutes(6));
  EXPECT_EQ(parse_go_duration("1h2m3s"), seconds(3723));
  EXPECT_EQ(parse_go_duration("20\xc2\xb5s"), nanoseconds(20'000));
  EXPECT_EQ(parse_go_duration("20\xce\xbcs"), nanoseconds(20'000));
  EXPECT_EQ(parse_go_duration("20us"), nanoseconds(20'000));
  EXPECT_EQ(parse_go_duration("-1ms"), seconds(0));
  EXPECT_EQ(parse_go_duration("0"), seconds(0));
  EXPECT_EQ(parse_go_duration("2.515s"), milliseconds(2515));  // protobuf's form
  for (const char* bad : {"", "5", "s", "1x", "1s!", "--1s", "1.2.3s", ".", "1s 2"}) {
    EXPECT_EQ(parse_go_duration(bad), std::nullopt) << bad;
  }
}

TEST(Epoch, IsSecondsOrMillisecondsBySize) {
  EXPECT_EQ(parse_epoch("1795379600", kNow), seconds(47));
  EXPECT_EQ(parse_epoch("1795379600000", kNow), seconds(47));
  EXPECT_EQ(parse_epoch("1000000000", kNow), seconds(0));
  EXPECT_EQ(parse_epoch("-5", kNow), std::nullopt);
  EXPECT_EQ(parse_epoch("9999999999999999999", kNow), std::nullopt);
}

TEST(Rfc3339, TakesOffsetsFractionsAndBareDates) {
  EXPECT_EQ(parse_rfc3339("2026-11-22T20:33:33Z", kNow), seconds(60));
  EXPECT_EQ(parse_rfc3339("2026-11-22T20:33:33.999z", kNow), seconds(60));
  EXPECT_EQ(parse_rfc3339("2026-11-22T12:33:33-08:00", kNow), seconds(60));
  EXPECT_EQ(parse_rfc3339("2026-11-22 22:33:33+02:00", kNow), seconds(60));
  EXPECT_EQ(parse_rfc3339("2026-11-23", kNow), seconds(3 * 3600 + 27 * 60 + 27));
  EXPECT_EQ(parse_rfc3339("2020-01-01T00:00:00Z", kNow), seconds(0));
  for (const char* bad : {"", "2026", "2026-13-01", "2026-02-30", "2026-11-22T", "2026-11-22T25:00:00Z",
                          "2026-11-22T20:33:33", "2026-11-22T20:33:33+2", "2026-11-22T20:33:33Zx", "26-11-22"}) {
    EXPECT_EQ(parse_rfc3339(bad, kNow), std::nullopt) << bad;
  }
}

TEST(Reset, KnowsItsFormByLooking) {
  EXPECT_EQ(parse_reset("41", kNow), seconds(41));
  EXPECT_EQ(parse_reset("1795379600", kNow), seconds(47));
  EXPECT_EQ(parse_reset("1m30.5s", kNow), milliseconds(90'500));
  EXPECT_EQ(parse_reset("2026-11-22T20:33:33Z", kNow), seconds(60));
  EXPECT_EQ(parse_reset("Sun, 22 Nov 2026 20:33:33 GMT", kNow), seconds(60));
  EXPECT_EQ(parse_reset("soon", kNow), std::nullopt);
}

TEST(RetryPhrase, IsFoundInSentences) {
  EXPECT_EQ(find_retry_phrase("limit reached. please try again in 6m0s. visit x"), minutes(6));
  EXPECT_EQ(find_retry_phrase("please try again in 20ms."), milliseconds(20));
  EXPECT_EQ(find_retry_phrase("please retry in 10h17m5.7s."), milliseconds(37'025'700));
  EXPECT_EQ(find_retry_phrase("try again after 1 minute and 5 seconds"), seconds(65));
  EXPECT_EQ(find_retry_phrase("please retry after 20 seconds."), seconds(20));
  EXPECT_EQ(find_retry_phrase("retry after 30."), seconds(30));
  EXPECT_EQ(find_retry_phrase("try again in ~162 min"), minutes(162));
  EXPECT_EQ(find_retry_phrase("try again in about 2 hours, 5 minutes"), minutes(125));
  for (const char* none : {"", "please try again later", "try again in a moment", "try ", "retry in ",
                           "retry after 5 requests", "country by 5s"}) {
    EXPECT_EQ(find_retry_phrase(none), std::nullopt) << none;
  }
}

TEST(RegainDate, IsFoundInSentences) {
  const Duration until_first = until_next_month(kNow);
  EXPECT_EQ(find_regain_date("You will regain access on 2026-12-01 at 00:00 UTC.", kNow), until_first);
  EXPECT_EQ(find_regain_date("regain access on 2026-12-01", kNow), until_first);
  EXPECT_EQ(find_regain_date("regain access on 2026-12-01T00:00:00Z.", kNow), until_first);
  EXPECT_EQ(find_regain_date("regain access on 2026-12-01 at 06:30 UTC", kNow), until_first + minutes(390));
  EXPECT_EQ(find_regain_date("regain access on soon", kNow), std::nullopt);
  EXPECT_EQ(find_regain_date("regain access on", kNow), std::nullopt);
  EXPECT_EQ(find_regain_date("nothing", kNow), std::nullopt);
}

TEST(Headers, TheMoreExactHintWins) {
  const HeaderView both[] = {{"Retry-After", "7"}, {"RETRY-AFTER-MS", "1500"}};
  EXPECT_EQ(retry_hint(both, kNow), milliseconds(1500));
  const HeaderView broken[] = {{"retry-after-ms", "x"}, {"retry-after", "7"}};
  EXPECT_EQ(retry_hint(broken, kNow), seconds(7));
  const HeaderView with_unit[] = {{"retry-after", "7s"}};
  EXPECT_EQ(retry_hint(with_unit, kNow), seconds(7));
  EXPECT_EQ(retry_hint({}, kNow), std::nullopt);
}

TEST(Headers, OnlyEmptyBucketsCount) {
  const HeaderView headers[] = {{"x-ratelimit-remaining-requests", "5"},
                                {"x-ratelimit-reset-requests", "1h"},
                                {"x-ratelimit-remaining-tokens", "0"},
                                {"x-ratelimit-reset-tokens", "12ms"},
                                {"anthropic-ratelimit-input-tokens-remaining", "0"},
                                {"anthropic-ratelimit-input-tokens-reset", "2026-11-22T20:33:00Z"},
                                {"x-ratelimit-remaining-images", "-1"},
                                {"x-ratelimit-reset-images", "2h"},
                                {"x-remaining", "0"}};
  EXPECT_EQ(empty_bucket_reset(headers, kNow), seconds(27));
  EXPECT_EQ(empty_bucket_reset({}, kNow), std::nullopt);
}

// ---- calendars

Duration to_midnight(std::string_view now) { return until_pacific_midnight(at(now)); }

TEST(PacificMidnight, InWinterIsEightUtc) {
  EXPECT_EQ(to_midnight("2026-11-22T20:32:33Z"), hours(11) + minutes(27) + seconds(27));
  EXPECT_EQ(to_midnight("2026-01-15T07:59:59Z"), seconds(1));
  EXPECT_EQ(to_midnight("2026-01-15T08:00:00Z"), hours(24));
}

TEST(PacificMidnight, InSummerIsSevenUtc) {
  EXPECT_EQ(to_midnight("2026-07-01T06:59:59Z"), seconds(1));
  EXPECT_EQ(to_midnight("2026-07-01T07:00:00Z"), hours(24));
}

TEST(PacificMidnight, TheDayClocksGoForwardHas23Hours) {  // 2026-03-08
  EXPECT_EQ(to_midnight("2026-03-08T07:59:59Z"), seconds(1));
  EXPECT_EQ(to_midnight("2026-03-08T08:00:00Z"), hours(23));
  EXPECT_EQ(to_midnight("2026-03-08T09:59:59Z"), hours(21) + seconds(1));
  EXPECT_EQ(to_midnight("2026-03-08T10:00:00Z"), hours(21));
  EXPECT_EQ(to_midnight("2026-03-09T06:59:59Z"), seconds(1));
}

TEST(PacificMidnight, TheDayClocksGoBackHas25Hours) {  // 2026-11-01
  EXPECT_EQ(to_midnight("2026-11-01T06:59:59Z"), seconds(1));
  EXPECT_EQ(to_midnight("2026-11-01T07:00:00Z"), hours(25));
  EXPECT_EQ(to_midnight("2026-11-01T08:59:59Z"), hours(23) + seconds(1));
  EXPECT_EQ(to_midnight("2026-11-01T09:00:00Z"), hours(23));
  EXPECT_EQ(to_midnight("2026-11-02T07:59:59Z"), seconds(1));
}

TEST(PacificMidnight, FindsTheSundaysOfOtherYears) {
  EXPECT_EQ(to_midnight("2027-03-14T08:00:00Z"), hours(23));
  EXPECT_EQ(to_midnight("2027-11-07T07:00:00Z"), hours(25));
  EXPECT_EQ(to_midnight("2028-03-12T08:00:00Z"), hours(23));
  EXPECT_EQ(to_midnight("2028-11-05T07:00:00Z"), hours(25));
  EXPECT_EQ(to_midnight("2026-12-31T23:00:00Z"), hours(9));
}

// Hour by hour through five years: always within the next 25 hours, and always at 07:00 or 08:00 UTC.
TEST(PacificMidnight, NeverSkipsOrRepeats) {
  for (WallTime now = at("2026-01-01T00:30:00Z"); now < at("2031-01-01T00:00:00Z"); now += hours(1)) {
    const auto wait = until_pacific_midnight(now);
    ASSERT_GT(wait, Duration::zero());
    ASSERT_LE(wait, hours(25));
    const auto then = now + std::chrono::duration_cast<milliseconds>(wait);
    const auto hour = (then.time_since_epoch() % hours(24)) / hours(1);
    ASSERT_TRUE(hour == 7 || hour == 8) << format_rfc3339(now);
  }
}

TEST(NextMonth, IsTheFirstInUtc) {
  EXPECT_EQ(until_next_month(at("2026-11-30T23:59:59Z")), seconds(1));
  EXPECT_EQ(until_next_month(at("2026-12-31T23:00:00Z")), hours(1));
  EXPECT_EQ(until_next_month(at("2028-02-01T00:00:00Z")), hours(29 * 24));
  EXPECT_EQ(until_next_month(at("2026-01-31T12:00:00Z")), hours(12));
}

}  // namespace
}  // namespace akr
