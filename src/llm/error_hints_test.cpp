// Hints that stand in bodies, whatever their shape, went unread; keys came back a minute later, or an hour early.
#include "llm/error_hints.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "llm/common_errors.hpp"

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime kNow{std::chrono::seconds(1'795'379'553)};  // 2026-11-22T20:32:33Z
using Head = std::vector<HeaderView>;

std::optional<Duration> hint(int status, std::string_view body, const Head& head = {}) {
  return explain_unknown({.status = status, .headers = head, .body = body, .now = kNow}).retry_after;
}

TEST(BodyHint, MembersAreFoundWhereProvidersPutThem) {
  const std::pair<const char*, Duration> cases[] = {
      {R"({"message":"You are being rate limited.","retry_after":64.5,"global":false})", milliseconds(64'500)},
      {R"({"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":35}})",
       seconds(35)},
      {R"({"error":{"type":"usage_limit_reached","message":"x","resets_at":1795379600}})", seconds(47)},
      {R"({"error":{"type":"usage_limit_reached","resets_in_seconds":4711}})", seconds(4711)},
      {R"({"error":{"details":[{"metadata":{"quotaResetDelay":"109h12m3.5s"}}]}})", milliseconds(393'123'500)},
      {R"({"error":{"details":[{"metadata":{"quotaResetTimeStamp":"2026-11-22T21:32:33Z"}}]}})", hours(1)},
      {R"({"error":{"code":-32005,"data":{"rate":{"backoff_seconds":30}}}})", seconds(30)},
      {R"({"error":{"message":"m","retryAfterMs":1500}})", milliseconds(1500)},
      {R"({"errors":[{"message":"m","retry-after":"12"}]})", seconds(12)},
      {R"({"error":{"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1795379600000"}}}})",
       seconds(47)},
      {R"({"error":{"metadata":{"headers":{"X-RateLimit-Remaining":0,"X-RateLimit-Reset":1795379600000}}}})",
       seconds(47)},
      {R"({"error":{"metadata":{"headers":{"Retry-After":"9"}}}})", seconds(9)},
      {R"({"fault":{"text":"quota used up, resets in 90s"}})", seconds(90)},
      {"rate limited, retry in 20 seconds\n", seconds(20)},
      {R"({"description":"Too Many Requests: retry after 5"})", seconds(5)},
  };
  for (const auto& [body, expected] : cases) EXPECT_EQ(hint(429, body), expected) << body;
}

TEST(BodyHint, GarbageIsNoHint) {
  for (const char* body :
       {R"({"retry_after":null})", R"({"retry_after":true})", R"({"retry_after":"soon"})", R"({"retry_after":-1})",
        R"({"retry_after":1e300})", R"({"retry_after":[5]})", R"({"retry_after":0})", R"({"reset_at":1000000000})",
        R"({"data":{"retry_after_all":7}})", "<html>resets in 5s</html>", "", "no",
        R"({"error":{"metadata":{"headers":5}}})",
        R"({"error":{"metadata":{"headers":{"X-RateLimit-Remaining":"5","X-RateLimit-Reset":"99"}}}})"}) {
    EXPECT_EQ(hint(429, body), std::nullopt) << body;
  }
}

TEST(BodyHint, TheHeadsRetryAfterGoesFirstAndItsCountersLast) {
  const char* const body = R"({"retry_after":20})";
  EXPECT_EQ(hint(429, body, {{"Retry-After", "7"}}), seconds(7));
  EXPECT_EQ(hint(429, body, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "99"}}), seconds(20));
  EXPECT_EQ(hint(429, "{}", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "99"}}), seconds(99));
  EXPECT_EQ(hint(429, "{}", {{"X-RateLimit-Remaining", "5"}, {"X-RateLimit-Reset", "99"}}), std::nullopt);
  EXPECT_EQ(hint(429, "{}", {{"X-RateLimit-Reset", "99"}}), seconds(99));
  EXPECT_EQ(hint(429, "{}", {{"x-ms-retry-after-ms", "1500"}}), milliseconds(1500));
  EXPECT_EQ(hint(429, "{}", {{"Retry-After", "1795379600"}}), seconds(47));
}

// A request error that speaks of a time, or a server in trouble, is no limit.
TEST(BodyHint, OtherStatusesAreNotHeldByTheirBodies) {
  EXPECT_EQ(hint(503, R"({"retry_after":20})"), std::nullopt);
  EXPECT_EQ(hint(503, "resets in 20s"), std::nullopt);
  EXPECT_EQ(hint(503, "", {{"Retry-After", "7"}}), seconds(7));
  EXPECT_EQ(hint(404, "resets in 20s", {{"X-RateLimit-Reset", "99"}}), std::nullopt);
}

TEST(LimitHint, ServesRulesOfAnyStatus) {
  EXPECT_EQ(limit_hint({}, R"({"result":"Max rate reached, please wait 3 seconds"})", kNow), seconds(3));
  const Head head = {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "99"}};
  EXPECT_EQ(limit_hint(head, "", kNow), seconds(99));
}

// GitHub, and Google's APIs, tell a limit with 403; the third one in a row was taken for a dead token.
TEST(CommonErrors, ALimitMayComeAs403) {
  const auto kind = [](std::string_view body, const Head& head = {}) {
    return explain_unknown({.status = 403, .headers = head, .body = body, .now = kNow}).kind;
  };
  EXPECT_EQ(kind("", {{"Retry-After", "90"}}), FailureKind::kRateLimit);
  EXPECT_EQ(kind("", {{"X-RateLimit-Remaining", "0"}}), FailureKind::kRateLimit);
  EXPECT_EQ(kind(R"({"message":"You have exceeded a secondary rate limit."})"), FailureKind::kRateLimit);
  EXPECT_EQ(kind(R"({"error":{"code":403,"errors":[{"reason":"userRateLimitExceeded"}]}})"), FailureKind::kRateLimit);
  EXPECT_EQ(kind(R"({"error":{"code":403,"errors":[{"reason":"quotaExceeded"}]}})"), FailureKind::kDailyQuota);
  EXPECT_EQ(kind("", {{"X-RateLimit-Remaining", "17"}}), FailureKind::kUnknown);
  EXPECT_EQ(kind(R"({"message":"Forbidden"})"), FailureKind::kUnknown);
}

}  // namespace
}  // namespace akr
