// fallback_test.cpp - other services in place of one that is exhausted: when, which, and what people see of it.
#include <atomic>
#include <chrono>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fallback_pair.hpp"
#include "tests/support/refusing_port.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using namespace test;

constexpr std::string_view kPath = kChatPath;

// ---- when a service is exhausted

TEST(Fallback, ServesWhileAllKeysCool) {
  FakeUpstream asked(always(200, "asked")), other(always(200, "other"));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url("/base")));
  EXPECT_EQ(proxy.post(kPath, kChat).body, "asked");
  cool(proxy, 1, 1min);
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "other");
  EXPECT_EQ(asked.requests(), 1);
  EXPECT_EQ(other.last().target, "/base" + std::string(kPath));
  EXPECT_EQ(other.last().field("authorization"), ProxyUnderTest::bearer(101));
  EXPECT_EQ(other.last().body, kChat);
}

TEST(Fallback, ServesWhileAllKeysAreInvalid) {
  FakeUpstream asked(always(200)), other(always(200, "other"));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  proxy.blame(1, {.key = KeyAction::kInvalidate, .reason = "credential"});
  EXPECT_EQ(proxy.post(kPath, kChat).body, "other");
  EXPECT_EQ(asked.requests(), 0);
}

TEST(Fallback, ServesWhileAllKeysAreDisabled) {
  FakeUpstream asked(always(200)), other(always(200, "other"));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.all_disabled = true;
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post(kPath, kChat).body, "other");
  EXPECT_EQ(asked.requests(), 0);
}

TEST(Fallback, ServesWhenNobodyCanBeReached) {
  RefusingPort asked;
  FakeUpstream other(always(200, "other"));
  for (const bool llm : {true, false}) {
    ProxySpec spec = pair_of(asked.url(), other.url());
    spec.llm = spec.fallbacks[0].llm = llm;
    spec.keys = 2;
    ProxyUnderTest proxy(spec);
    EXPECT_EQ(proxy.post(kPath, kChat).body, "other");  // nothing was sent: also a REST POST
    EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
  }
}

struct Exhausting {
  int status;
  int asked;  // requests that the service gets before
};
class ExhaustingAnswers : public testing::TestWithParam<Exhausting> {};

TEST_P(ExhaustingAnswers, GoToTheFallbackWhenAttemptsOrKeysRunOut) {
  FakeUpstream asked(always(GetParam().status, "no")), other(always(200, "other"));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.keys = 5;
  ProxyUnderTest proxy(spec);
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "other");
  EXPECT_EQ(asked.requests(), GetParam().asked);
  EXPECT_TRUE(eventually([&] { return proxy.pool().counts(std::chrono::steady_clock::now()).in_flight == 0; }));
}
INSTANTIATE_TEST_SUITE_P(Statuses, ExhaustingAnswers,
                         testing::Values(Exhausting{401, 3}, Exhausting{402, 3}, Exhausting{403, 3}, Exhausting{429, 3},
                                         Exhausting{500, 3}, Exhausting{503, 3}, Exhausting{529, 3}));

TEST(Fallback, OneAttemptCanBeEnough) {
  FakeUpstream asked(always(500)), other(always(200, "other"));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.keys = 5;
  spec.retry.max_attempts = 1;
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post(kPath, kChat).body, "other");
  EXPECT_EQ(asked.requests(), 1);
}

TEST(Fallback, AnErrorInAStreamsFirstEventIsAReasonToo) {
  FakeUpstream asked(streams(kErrorEvent)), other(streams(kGoodEvent));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  const HttpAnswer answer = proxy.post(kPath, R"({"model":"m","stream":true,"messages":[]})");
  EXPECT_EQ(answer.body, kGoodEvent);
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.field("x-accel-buffering"), "no");
}

// ---- who may stand in

TEST(Fallback, TheirOrderIsKeptAndTheirOwnFallbacksAreNotFollowed) {
  FakeUpstream asked(always(500)), first(always(500)), second(always(200, "second"));
  ProxySpec spec{.target_url = asked.url(), .llm = true};
  spec.fallbacks = {{.target_url = first.url(), .keys = 2, .llm = true}, {.target_url = second.url(), .llm = true}};
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post(kPath, kChat).body, "second");
  EXPECT_EQ(asked.requests(), 1);
  EXPECT_EQ(first.requests(), 2);
  spec.adjust = [](Service& service) { service.fallbacks = {ServiceId{2}}; };
  spec.fallbacks[0].adjust = [](Service& service) { service.fallbacks = {ServiceId{3}}; };
  ProxyUnderTest chained(spec);
  EXPECT_EQ(chained.post(kPath, kChat).status, 500);
  EXPECT_EQ(second.requests(), 1);
}

TEST(Fallback, OneThatDoesNotTakeTheMethodIsPassedOver) {
  FakeUpstream asked(always(429)), reads(always(200, "reads")), writes(always(200, "writes"));
  ProxySpec spec{.target_url = asked.url()};
  spec.fallbacks = {{.target_url = reads.url(), .adjust = [](Service& service) { service.methods = {"GET"}; }},
                    {.target_url = writes.url()}};
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post("/a", "x").body, "writes");
  EXPECT_EQ(proxy.get("/a").body, "reads");
}

TEST(Fallback, ItsOwnRulesPlacementAndLimitsApply) {
  FakeUpstream asked(always(500));
  FakeUpstream other([](UpstreamCall& call) {
    const std::string& target = call.request().target;
    if (target.ends_with("key=" + ProxyUnderTest::key(103))) return call.answer(200, "other", "Set-Cookie: a=b\r\n");
    call.answer(418, "teapot");
  });
  ProxySpec fallback{.target_url = other.url(), .keys = 3, .retry = {.max_attempts = 3}};
  FailureRule rule = {.statuses = {418}};
  rule.action = RuleAction::kCool;
  rule.hold = 500s;
  fallback.rules = {rule};
  fallback.adjust = [](Service& service) {
    service.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
    service.allow_set_cookie = true;
  };
  ProxySpec spec{.target_url = asked.url(), .retry = {.max_attempts = 1}, .fallbacks = {fallback}};
  ProxyUnderTest proxy(spec);
  for (int i = 0; i < 3; ++i) {
    const HttpAnswer answer = proxy.get("/a?b=c");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("set-cookie"), "a=b");
    EXPECT_EQ(other.last().field("authorization"), "");
  }
  EXPECT_GT(proxy.wait_of(101), 490);
  EXPECT_GT(proxy.wait_of(102), 490);
}

TEST(Fallback, ItsUrlsAreTriedToo) {
  RefusingPort asked, down;
  FakeUpstream up(always(200, "up"));
  ProxySpec spec = pair_of(asked.url(), "");
  spec.fallbacks[0].upstreams = {{down.url("/x"), 1, 0}, {up.url("/y"), 1, 1}};
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post(kPath, kChat).body, "up");
  EXPECT_EQ(up.last().target, "/y" + std::string(kPath));
}

TEST(Fallback, NobodyWaitsForAKeyWhileThereIsAnother) {
  FakeUpstream asked(always(200)), other(always(200, "other"));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.wait_for_key = 5s;
  ProxyUnderTest proxy(spec);
  cool(proxy, 1, 3s);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(proxy.post(kPath, kChat).body, "other");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

// ---- bodies

TEST(Fallback, ALargeBodyIsRepeatedByteForByte) {
  FakeUpstream asked(always(500)), other(always(200, "other"));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  std::string body(2 << 20, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761U >> 13);
  EXPECT_EQ(proxy.post(kPath, body).body, "other");
  EXPECT_TRUE(other.last().body == body);
  EXPECT_TRUE(asked.last().body == body);
}

TEST(Fallback, AnUploadMovesOnOnlyWhileNoneOfItWasTaken) {
  FakeUpstream asked(always(500)), other(always(200, "other"));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.adjust = [](Service& service) { service.stream_uploads = true; };
  ProxyUnderTest proxy(spec);
  constexpr std::string_view kFilePath = "/v1/audio/transcriptions";  // what may name something is read
  const std::string body(300'000, 'u');
  EXPECT_EQ(proxy.post(kFilePath, body).status, 500);
  EXPECT_EQ(other.requests(), 0);
  cool(proxy, 1, 1min);
  EXPECT_EQ(proxy.post(kFilePath, body).body, "other");
  EXPECT_TRUE(other.last().body == body);
}

TEST(Fallback, StreamsAnswersAsTheServiceItselfWould) {
  std::atomic<bool> seen = false;
  FakeUpstream asked(always(200));
  FakeUpstream other([&](UpstreamCall& call) {
    call.read_body();
    call.send(kStreamHead);
    call.send_chunk(kGoodEvent);
    while (!seen) call.wait(1ms);
    call.send_chunk("data: [DONE]\n\n");
    call.send_chunk("");
  });
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  cool(proxy, 1, 1min);
  auto client = proxy.client();
  client.send(proxy.request("POST", kPath, kChat));
  std::string text;
  EXPECT_TRUE(client.take_until("\"hi\"", text));
  seen = true;
  EXPECT_TRUE(client.take_until("[DONE]", text));
}

// ---- what people see

TEST(Fallback, LogAndTraceTellWhoServed) {
  FakeUpstream asked(always(429, "no", "Retry-After: 30\r\n")), other(always(200, "other"));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.is_admin = [](std::string_view token) { return token == "t0k"; };
  ProxyUnderTest proxy(spec);
  const HttpAnswer answer = proxy.post(kPath, kChat, "X-Rotator-Explain: 1\r\nX-Rotator-Admin: Bearer t0k\r\n");
  EXPECT_EQ(answer.status, 200);
  const auto steps = boost::json::parse(answer.field("x-rotator-trace")).as_array();
  ASSERT_EQ(steps.size(), 3U) << answer.field("x-rotator-trace");
  EXPECT_EQ(steps[0].at("status").to_number<int>(), 429);
  EXPECT_FALSE(steps[0].as_object().contains("service"));
  EXPECT_EQ(steps[1].at("refused").as_string(), "all_keys_cooling");
  EXPECT_EQ(steps[2].at("service").as_string(), "f1");
  EXPECT_EQ(steps[2].at("outcome").as_string(), "ok");
  EXPECT_FALSE(steps[2].as_object().contains("upstream"));
  const auto line = line_of(proxy);
  EXPECT_EQ(line.at("service").as_string(), "s");
  EXPECT_EQ(line.at("served_by").as_string(), "f1");
  EXPECT_EQ(line.at("attempts").to_number<int>(), 2);
}

TEST(Fallback, AFallbackThatIsAskedItselfHasNone) {
  FakeUpstream asked(always(200)), other(always(500, "other"));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  std::string request = proxy.request("POST", kPath, kChat);
  request.replace(request.find("/llm/s/"), 7, "/llm/f1/");
  EXPECT_EQ(proxy.client().ask(request).body, "other");
  EXPECT_EQ(asked.requests(), 0);
}

}  // namespace
}  // namespace akr
