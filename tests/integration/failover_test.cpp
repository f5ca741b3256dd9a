// failover_test.cpp - the right key, the right blame, the right wait: behaviour.md section 3, by number of scenario.
#include <atomic>
#include <chrono>

#include <gtest/gtest.h>

#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kChat;
using test::key_number;
using test::kJson;
using test::only_key;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kPath = test::kChatPath;

// ---- blame and states

class ClientsFault : public testing::TestWithParam<int> {};

TEST_P(ClientsFault, S1S2GoesToTheClientUnchangedAndBlamesNobody) {
  const std::string body = R"({"error":{"message":"bad ü","type":"invalid_request_error"}})";
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(GetParam(), body, kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = proxy.post("/v1/response", kChat);
    EXPECT_EQ(answer.status, GetParam());
    EXPECT_EQ(answer.body, body);
  }
  EXPECT_EQ(upstream.requests(), 20);
  expect_untouched(proxy, 3);
}
INSTANTIATE_TEST_SUITE_P(Statuses, ClientsFault, testing::Values(400, 404, 405, 409, 413, 415, 422));

TEST(Failover, S3AnEndpointsErrorIsTriedAgainAndBlamesNobody) {
  std::atomic<int> calls = 0;
  FakeUpstream upstream([&](UpstreamCall& call) { ++calls == 1 ? call.answer(500, "oops") : call.answer(200, "ok"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  EXPECT_EQ(upstream.requests(), 2);
  expect_untouched(proxy, 2);
}

TEST(Failover, S4AnOverloadedUpstreamChangesNoKey) {
  const std::string body = R"({"error":{"message":"overloaded"}})";
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(503, body, kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 5, .llm = true});
  for (int i = 1; i <= 10; ++i) {
    const HttpAnswer answer = proxy.post(kPath, kChat);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, body);
    EXPECT_EQ(answer.field("x-rotator-error-source"), "upstream");
    EXPECT_EQ(upstream.requests(), 3 * i);
  }
  expect_untouched(proxy, 5);
}

TEST(Failover, S5AKeyThatIsRefusedTwiceIsNotAskedAThirdTime) {
  FakeUpstream upstream(only_key(1, 401, "no"));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3});
  for (int i = 0; i < 30; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 2);
  EXPECT_EQ(proxy.status(1).state, KeyState::kInvalid);
  EXPECT_EQ(proxy.status(1).last_status, 401);
  EXPECT_EQ(proxy.status(1).last_error, "no");
}

TEST(Failover, S6ASuccessBetweenTwoRefusalsForgivesTheFirst) {
  std::atomic<int> calls = 0;
  FakeUpstream upstream([&](UpstreamCall& call) {
    const int number = ++calls;
    number == 2 ? call.answer(200, "ok") : call.answer(401, "no");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1});
  for (int i = 0; i < 3; ++i) proxy.get("/a");
  EXPECT_EQ(upstream.requests(), 3);
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
}

TEST(Failover, S7LowCreditIsTheKeysAndAnyOther400IsTheClients) {
  const std::string body = R"({"type":"error","error":{"type":"invalid_request_error","message":)"
                           R"("Your credit balance is too low to access the Anthropic API."}})";
  FakeUpstream upstream(only_key(1, 400, body, std::string(kJson)));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true, .api_format = "anthropic_native"});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.post("/v1/messages", kChat).status, 200);
  EXPECT_EQ(proxy.status(1).state, KeyState::kExhausted);
  EXPECT_EQ(proxy.status(2).state, KeyState::kActive);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
}

TEST(Failover, S14AnAbsurdHintIsCutToAnHour) {
  FakeUpstream upstream(only_key(1, 429, "later", "Retry-After: 561635\r\n"));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
  EXPECT_LE(proxy.wait_of(1), 3600);
  EXPECT_GT(proxy.wait_of(1), 3500);
}

// Two requests in flight with the same key: the one that ends last may not shorten the wait.
TEST(Failover, S15AnOlderAnswerDoesNotShortenTheWait) {
  std::atomic<int> calls = 0;
  std::atomic<bool> first_may_end = false;
  FakeUpstream upstream([&](UpstreamCall& call) {
    if (++calls == 2) return call.answer(429, "no", "Retry-After: 300\r\n");
    while (!first_may_end) call.wait(1ms);
    call.answer(429, "no", "Retry-After: 1\r\n");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1, .retry = {.max_attempts = 1}});
  auto slow = proxy.client();
  slow.send(proxy.request("GET", "/slow"));
  ASSERT_TRUE(test::eventually([&] { return calls == 1; }));
  EXPECT_EQ(proxy.get("/fast").status, 429);
  first_may_end = true;
  EXPECT_EQ(slow.receive().status, 429);
  EXPECT_GT(proxy.wait_of(1), 290);
}

struct Hint {
  std::string fields;
  std::string body;
  double least;
  double most;
};
class Hints : public testing::TestWithParam<Hint> {};

TEST_P(Hints, S16DecideHowLongAKeyRests) {
  FakeUpstream upstream(only_key(1, 429, GetParam().body, GetParam().fields));
  const bool llm = !GetParam().body.empty();
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = llm, .api_format = "gemini_native"});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(proxy.get("/v1beta/files").status, 200);
  EXPECT_GE(proxy.wait_of(1), GetParam().least);
  EXPECT_LE(proxy.wait_of(1), GetParam().most);
}
INSTANTIATE_TEST_SUITE_P(
    Forms, Hints,
    testing::Values(Hint{"Retry-After: 7\r\n", "", 6, 7}, Hint{"Retry-After: 7.5\r\n", "", 6.5, 8},
                    Hint{"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "", 0, 1},
                    Hint{"Retry-After: Wed, 21 Oct 2099 07:28:00 GMT\r\n", "", 3500, 3600},
                    Hint{"Retry-After: -1\r\n", "", 50, 60}, Hint{"Retry-After: abc\r\n", "", 50, 60},
                    Hint{"retry-after-ms: 2500\r\n", "", 1.5, 2.5}, Hint{"", "", 50, 60},
                    Hint{"",
                         R"({"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo",)"
                         R"("retryDelay":"52s"}]}})",
                         48, 52}));

TEST(Failover, S17AModelThatRestsDoesNotRestTheOthers) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    const bool model_a = call.request().body.find("\"model\":\"a\"") != std::string::npos;
    if (model_a && key_number(call) == 1) return call.answer(429, "slow down", "Retry-After: 100\r\n");
    call.answer(200, "{}", kJson);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.post(kPath, R"({"model":"a"})").status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.post(kPath, R"({"model":"b"})").status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 6);
}

TEST(Failover, S17ARuleRestsTheWholeKey) {
  FakeUpstream upstream(only_key(1, 429, R"({"error":{"code":"usage_limit_reached"}})", std::string(kJson)));
  FailureRule rule = {.statuses = {429}, .json_pointer = "/error/code", .json_regex = "^usage_limit"};
  rule.action = RuleAction::kCool;
  rule.hold = 500s;
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true, .rules = {rule}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.post(kPath, R"({"model":"a"})").status, 200);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.post(kPath, R"({"model":"b"})").status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
  EXPECT_GT(proxy.wait_of(1), 490);
}

TEST(Failover, S18TheOnlyKeyIsNotHeldBackWithoutAHint) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(429, "the provider's words"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1});
  for (int i = 1; i <= 5; ++i) {
    const HttpAnswer answer = proxy.get("/a");
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.body, "the provider's words");
    EXPECT_EQ(upstream.requests(), i);
  }
}

// ---- rotation

TEST(Failover, S28AttemptsUseDistinctKeys) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(429, "no", "Retry-After: 30\r\n"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .retry = {.max_attempts = 3}});
  EXPECT_EQ(proxy.get("/a").status, 429);
  EXPECT_EQ(upstream.requests(), 2);
  EXPECT_EQ(upstream.count_by("authorization").size(), 2U);
}

TEST(Failover, S29NoAttemptStartsAfterTheBudget) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.wait(300ms);
    call.answer(500, "slow");
  });
  ProxyUnderTest proxy(
      {.target_url = upstream.url(), .keys = 5, .llm = true, .retry = {.max_attempts = 5, .budget = 450ms}});
  EXPECT_EQ(proxy.post(kPath, kChat).status, 500);
  EXPECT_EQ(upstream.requests(), 2);
}

TEST(Failover, S30OneAttemptMeansNoSecondTry) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(429, "no"); });
  ProxyUnderTest once({.target_url = upstream.url(), .keys = 5, .retry = {.max_attempts = 1}});
  EXPECT_EQ(once.get("/a").status, 429);
  EXPECT_EQ(upstream.requests(), 1);
  ProxyUnderTest unset({.target_url = upstream.url(), .keys = 5});
  EXPECT_EQ(unset.get("/a").status, 429);
  EXPECT_EQ(upstream.requests(), 4);
}

TEST(Failover, S31RestRepeatsOnlyWhatIsSafe) {
  struct Case {
    std::string_view method;
    int status;
    int calls;
  };
  for (const Case& each : {Case{"POST", 500, 1}, Case{"POST", 429, 3}, Case{"GET", 500, 3}, Case{"PATCH", 503, 1}}) {
    FakeUpstream upstream([&](UpstreamCall& call) { call.answer(each.status, "no"); });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 4});
    EXPECT_EQ(proxy.ask(each.method, "/a", "x").status, each.status);
    EXPECT_EQ(upstream.requests(), each.calls) << each.method << each.status;
  }
}

TEST(Failover, S31ARestPost429IsTriedOnceMoreAndServed) {
  FakeUpstream upstream(only_key(1, 429, "no"));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(proxy.post("/a", "x").status, 200);
  EXPECT_EQ(upstream.requests(), 3);
}

// ---- conversations (D22)

TEST(Sticky, AConversationStaysWithItsKeyAndIsTheClientsOwn) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "{}", kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 4, .llm = true, .policy = "sticky"});
  for (int i = 0; i < 8; ++i) proxy.post(kPath, R"({"model":"m","prompt_cache_key":"talk"})");
  EXPECT_EQ(upstream.count_by("authorization").size(), 1U);
  for (int i = 0; i < 8; ++i) proxy.post(kPath, R"({"model":"m"})", "X-Session-Id: other\r\n");
  EXPECT_EQ(upstream.count_by("authorization").size(), 2U);
  // The same name from another client is another conversation.
  for (int i = 0; i < 8; ++i) {
    proxy.ask("POST", kPath, R"({"prompt_cache_key":"talk"})", {}, ProxyUnderTest::kOtherAccessKey);
  }
  EXPECT_EQ(upstream.count_by("authorization").size(), 3U);
}

TEST(Sticky, TurnsThatNameNoConversationAreKnownByTheirBeginning) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "{}", kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 4, .llm = true, .policy = "sticky"});
  for (const char* subject : {"tea", "salt", "rope"}) {
    std::string turns = std::string(R"({"role":"user","content":")") + subject + "\"}";
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(proxy.post(kPath, R"({"model":"m","messages":[)" + turns + "]}").status, 200);
      turns += R"(,{"role":"assistant","content":"yes"},{"role":"user","content":"and?"})";
    }
  }
  const auto counts = upstream.count_by("authorization");
  EXPECT_EQ(counts.size(), 3U);
  for (const auto& [key, count] : counts) EXPECT_EQ(count, 5) << key;
}

// ---- pacing

TEST(Pacing, AKeyWithNothingLeftIsSkippedBeforeItAnswers429) {
  FakeUpstream upstream([](UpstreamCall& call) {
    const std::string fields(kJson);
    if (key_number(call) != 1) return call.answer(200, "{}", fields);
    call.answer(200, "{}", fields + "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 30s\r\n");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
}

}  // namespace
}  // namespace akr
