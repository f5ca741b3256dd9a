// limit_hints_test.cpp - how long a key rests by what the upstream says, whatever the upstream is, and keys that are
// left alone before they are refused.
//
// Pools of REST keys read Retry-After alone: a GitHub token whose limit came as 403 rested 300 s although its counter
// said when it was back, three limits in a row made it "exhausted" for an hour, and the last call that was allowed was
// always followed by one that was not.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::answer_ok;
using test::FakeUpstream;
using test::kChat;
using test::key_number;
using test::kJson;
using test::only_key;
using test::PoolClock;
using test::ProxyUnderTest;
using test::UpstreamCall;

std::string in_seconds(int seconds) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count() + seconds);
}

std::string empty_until(const std::string& reset) {
  return "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: " + reset + "\r\n";
}

// How long the first key rests after this answer.
double rest_after(int status, const std::string& body, const std::string& fields, bool llm = false) {
  FakeUpstream upstream(only_key(1, status, body, std::string(kJson) + fields));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = llm});
  for (int i = 0; i < 2; ++i) {
    const int answered = llm ? proxy.post("/v1/chat/completions", kChat).status : proxy.get("/a").status;
    EXPECT_EQ(answered, 200);
  }
  if (!llm) return proxy.wait_of(1);
  const KeyStatus key = proxy.status(1);
  if (key.model_waits.empty() || !key.model_waits.front().until) return proxy.wait_of(1);
  return std::chrono::duration<double>(*key.model_waits.front().until - std::chrono::steady_clock::now()).count();
}

TEST(LimitHints, RestKeysAreHeldByEveryHint) {
  const struct {
    int status;
    std::string body;
    std::string fields;
    double expected;
  } cases[] = {
      {403, R"({"message":"API rate limit exceeded"})", empty_until(in_seconds(1500)), 1500},
      {403, R"({"message":"You have exceeded a secondary rate limit."})", "Retry-After: 90\r\n", 90},
      {429, "{}", empty_until(in_seconds(1500) + "000"), 1500},
      {429, "{}", "X-Rate-Limit-Remaining: 0\r\nX-Rate-Limit-Reset: " + in_seconds(700) + "\r\n", 700},
      {429, "{}", "RateLimit: \"default\";r=0;t=120\r\nRateLimit-Policy: \"default\";q=10;w=600\r\n", 120},
      {429, "{}", "RateLimit: limit=10, remaining=0, reset=130\r\n", 130},
      {429, R"({"message":"You are being rate limited.","retry_after":64.57})", "", 64.57},
      {429, R"({"detail":"Request was throttled. Expected available in 131 seconds."})", "", 131},
      {429, R"({"x":"your plan resets in 109h12m3s"})", "", 3600},                         // an hour at most, as ever
      {429, "{}", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: next-tuesday\r\n", 60},  // no time: as without a hint
  };
  for (const auto& c : cases) EXPECT_NEAR(rest_after(c.status, c.body, c.fields), c.expected, 3) << c.body << c.fields;
}

TEST(LimitHints, LlmKeysAreHeldByTheSame) {
  EXPECT_NEAR(rest_after(429, R"j({"error":{"message":"Weekly limit reached (reset after 20m)"}})j", "", true), 1200,
              3);
  EXPECT_NEAR(rest_after(429,
                         R"({"error":{"message":"m","code":429,"metadata":{"headers":{"X-RateLimit-Remaining":"0",)"
                         R"("X-RateLimit-Reset":")" +
                             in_seconds(1500) + R"(000"}}}})",
                         "", true),
              1500, 3);
  EXPECT_NEAR(rest_after(429, "{}", "RateLimit: \"default\";r=0;t=120\r\n", true), 120, 3);
}

TEST(LimitHints, ThreeLimitsIn403AreNoDeadKey) {
  FakeUpstream upstream(only_key(1, 403, R"({"message":"secondary rate limit"})", "Retry-After: 1\r\n"));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  PoolClock clock(proxy.pool());
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(proxy.get("/a").status, 200);
    clock.pass(2s);
  }
  EXPECT_GE(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 3);
  EXPECT_NE(proxy.status(1).state, KeyState::kExhausted);
}

// A rule without a time of its own takes the provider's, wherever it stands.
TEST(LimitHints, ServeRulesOfGoodAnswersToo) {
  FakeUpstream upstream(only_key(1, 200, R"({"status":"0","result":"rate limit reached, retry in 77 seconds"})"));
  FailureRule rule;
  rule.statuses = {200};
  rule.body_regex = "rate limit reached";
  rule.action = RuleAction::kCool;
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .rules = {rule}});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(proxy.get("/a").body, "{}");
  EXPECT_NEAR(proxy.wait_of(1), 77, 3);
}

// ---- before a key is refused

void expect_paced(const std::string& fields, bool is_paced) {
  FakeUpstream upstream([&](UpstreamCall& call) {
    key_number(call) == 1 ? call.answer(200, "{}", std::string(kJson) + fields) : answer_ok(call);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], is_paced ? 1 : 3) << fields;
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive) << "not a failure";
}

TEST(Pacing, AGoodRestAnswerThatSaysNothingIsLeftRestsItsKey) {
  expect_paced(empty_until(in_seconds(900)), true);
  expect_paced("RateLimit: \"default\";r=0;t=30\r\n", true);
  expect_paced("X-Rate-Limit-Remaining: 0\r\nX-Rate-Limit-Reset: 900\r\n", true);
  expect_paced("X-RateLimit-Remaining: 1, 0\r\nX-RateLimit-Reset: 1, 1419704\r\n", true);
  expect_paced("X-RateLimit-Remaining: 1\r\nX-RateLimit-Reset: 900\r\n", false);
  expect_paced("X-RateLimit-Remaining: 0\r\n", false);  // nobody says until when
  expect_paced("X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: never\r\n", false);
  expect_paced("", false);
}

}  // namespace
}  // namespace akr
