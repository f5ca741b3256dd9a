// failover_answers_test.cpp - errors that look like success, first events, rules on good answers, and the trace.
#include <atomic>
#include <chrono>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/llm_streams.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kChat;
using test::kErrorEvent;
using test::kGoodEvent;
using test::kJson;
using test::kStreamHead;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kPath = test::kChatPath;

bool first_key(const UpstreamCall& call) { return call.request().field("authorization") == ProxyUnderTest::bearer(1); }

void stream(UpstreamCall& call, std::initializer_list<std::string_view> chunks) {
  call.read_body();
  call.send(kStreamHead);
  for (const std::string_view chunk : chunks) call.send_chunk(chunk);
  call.send_chunk("");
}

// ---- streams

TEST(FirstEventHold, S44AnErrorInTheFirstEventIsTriedOnAnotherKey) {
  FakeUpstream upstream([](UpstreamCall& call) {
    first_key(call) ? stream(call, {": hi\n\n", kErrorEvent}) : stream(call, {kGoodEvent, "data: [DONE]\n\n"});
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 4; ++i) {
    const HttpAnswer answer = proxy.post(kPath, kChat);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.body, std::string(kGoodEvent) + "data: [DONE]\n\n");
  }
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
}

TEST(FirstEventHold, AnEventThatComesInPiecesIsStillJudged) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    if (!first_key(call)) return stream(call, {kGoodEvent});
    call.send(kStreamHead);
    for (const char& c : kErrorEvent) {
      call.send_chunk(std::string_view(&c, 1));
      if (&c - kErrorEvent.data() < 5) call.wait(5ms);
    }
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(proxy.post(kPath, kChat).body, kGoodEvent);
}

TEST(FirstEventHold, ErrorsFromAllKeysReachTheClientAsTheyCame) {
  FakeUpstream upstream([](UpstreamCall& call) { stream(call, {kErrorEvent, "data: [DONE]\n\n"}); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, std::string(kErrorEvent) + "data: [DONE]\n\n");
  EXPECT_EQ(upstream.requests(), 2);
}

TEST(FirstEventHold, S43AnErrorAfterTheFirstEventIsRelayed) {
  FakeUpstream upstream([](UpstreamCall& call) { stream(call, {kGoodEvent, kErrorEvent}); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  EXPECT_EQ(proxy.post(kPath, kChat).body, std::string(kGoodEvent) + std::string(kErrorEvent));
  EXPECT_EQ(upstream.requests(), 1);
}

TEST(FirstEventHold, S43AStatusBeforeTheStreamIsRotated) {
  FakeUpstream upstream(
      [](UpstreamCall& call) { first_key(call) ? call.answer(429, "no") : stream(call, {kGoodEvent}); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(proxy.post(kPath, kChat).body, kGoodEvent);
  EXPECT_EQ(upstream.requests(), 3);
}

TEST(FirstEventHold, TheFirstEventGoesDownWithoutWaitingForTheSecond) {
  std::atomic<bool> seen = false;
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.read_body();
    call.send(kStreamHead);
    call.wait(50ms);
    call.send_chunk(kGoodEvent);
    while (!seen) call.wait(1ms);
    call.send_chunk("data: [DONE]\n\n");
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .llm = true});
  auto client = proxy.client();
  client.send(proxy.request("POST", kPath, kChat));
  std::string text;
  EXPECT_TRUE(client.take_until("\"hi\"", text));
  seen = true;
  EXPECT_TRUE(client.take_until("[DONE]", text));
}

TEST(FirstEventHold, ASilentStreamGetsItsHeadAndCommentsInTime) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    call.send(kStreamHead);
    call.wait(1000ms);
    call.send_chunk(kGoodEvent);
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .llm = true, .sse_keepalive = 200ms});
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.body.starts_with(": keepalive\n: keepalive\n: keepalive\n")) << answer.body;
  EXPECT_TRUE(answer.body.ends_with(kGoodEvent)) << answer.body;
}

TEST(FirstEventHold, ACutBeforeTheFirstEventIsTriedAgain) {
  std::atomic<int> calls = 0;
  FakeUpstream upstream([&](UpstreamCall& call) {
    if (++calls > 1) return stream(call, {kGoodEvent});
    call.read_body();
    call.send(kStreamHead);
    call.send_chunk("data: {\"cho");
    call.close();
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  EXPECT_EQ(proxy.post(kPath, kChat).body, kGoodEvent);
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
  EXPECT_EQ(proxy.status(2).state, KeyState::kActive);
}

TEST(FirstEventHold, AnEmptyStreamAndALongFirstEventAreRelayed) {
  const std::string large = "data: {\"x\":\"" + std::string(200'000, 'y') + "\"}\n\n";
  for (const std::string& text : {std::string(), large}) {
    FakeUpstream upstream([&](UpstreamCall& call) {
      call.read_body();
      call.send(kStreamHead);
      if (!text.empty()) call.send_chunk(text);
      call.send_chunk("");
    });
    ProxyUnderTest proxy({.target_url = upstream.url(), .llm = true});
    const HttpAnswer answer = proxy.post(kPath, kChat);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.body, text);
  }
}

TEST(FirstEventHold, AClientThatLeavesDuringTheHoldEndsTheUpstream) {
  std::atomic<bool> closed = false;
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.read_body();
    call.send(kStreamHead);
    closed = call.wait_for_close(5s);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  {
    auto client = proxy.client();
    client.send(proxy.request("POST", kPath, kChat));
    ASSERT_TRUE(test::eventually([&] { return upstream.requests() == 1; }));
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_TRUE(test::eventually([&] { return closed.load(); }, 2s));
  EXPECT_EQ(upstream.requests(), 1);
}

// ---- whole answers

TEST(ErrorInSuccess, AnErrorIn200IsTriedOnAnotherKey) {
  FakeUpstream upstream([](UpstreamCall& call) {
    if (!first_key(call)) return call.answer(200, R"({"choices":[]})", kJson);
    call.answer(200, R"({"error":{"message":"quota","code":"insufficient_quota","type":"insufficient_quota"}})", kJson);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.post(kPath, kChat).body, R"({"choices":[]})");
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
  EXPECT_EQ(proxy.status(1).state, KeyState::kExhausted);
}

TEST(ErrorInSuccess, TheWordErrorInAnAnswerIsNoError) {
  const std::string body = R"({"choices":[{"message":{"content":"{\"error\":{\"code\":401}}"}}],"error":null})";
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(200, body, kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  EXPECT_EQ(proxy.post(kPath, kChat).body, body);
  EXPECT_EQ(upstream.requests(), 1);
}

TEST(Rules, AGoodLookingAnswerOfARestServiceIsJudgedByItsBody) {
  FakeUpstream upstream([](UpstreamCall& call) {
    first_key(call) ? call.answer(200, R"({"error":"Your account has run out of searches."})", kJson)
                    : call.answer(200, R"({"results":[]})", kJson);
  });
  const auto preset = preset_failure_rules("serpapi");
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .rules = {preset.begin(), preset.end()}});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(proxy.get("/search").body, R"({"results":[]})");
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
}

TEST(Rules, ALongGoodAnswerArrivesWhole) {
  std::string body(700'000, 'z');
  for (std::size_t i = 0; i < body.size(); i += 97) body[i] = static_cast<char>('a' + i % 26);
  FailureRule rule = {.body_regex = "never there"};
  for (const bool chunked : {false, true}) {
    FakeUpstream upstream([&](UpstreamCall& call) {
      if (!chunked) return call.answer(200, body);
      call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (std::size_t at = 0; at < body.size(); at += 10'000)
        call.send_chunk(std::string_view(body).substr(at, 10'000));
      call.send_chunk("");
    });
    ProxyUnderTest proxy({.target_url = upstream.url(), .rules = {rule}});
    const HttpAnswer answer = proxy.get("/a");
    EXPECT_TRUE(answer.complete);
    EXPECT_TRUE(answer.body == body);
  }
}

TEST(Rules, IgnoreLeavesTheKeyAlone) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(401, "the user's own token is wrong"); });
  FailureRule rule = {.statuses = {401}, .body_regex = "own token"};
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .rules = {rule}});
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(proxy.get("/a").status, 401);
    EXPECT_EQ(upstream.requests(), i);
  }
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
}

TEST(Secrets, AnErrorThatNamesTheKeyIsMaskedEverywhere) {
  FakeUpstream upstream(
      [](UpstreamCall& call) { call.answer(403, "forbidden: " + call.request().field("authorization")); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1});
  const HttpAnswer answer = proxy.get("/a");
  EXPECT_EQ(answer.body.find(ProxyUnderTest::key(1)), std::string::npos) << answer.body;
  EXPECT_NE(proxy.status(1).last_error, "");
  EXPECT_EQ(proxy.status(1).last_error.find(ProxyUnderTest::key(1)), std::string::npos);
}

// ---- explain

TEST(Explain, AnAdministratorSeesWhichKeyWasTakenAndWhy) {
  FakeUpstream upstream([](UpstreamCall& call) {
    first_key(call) ? call.answer(429, "no", "Retry-After: 9\r\n") : call.answer(200, "ok");
  });
  ProxyUnderTest proxy(
      {.target_url = upstream.url(), .keys = 2, .is_admin = [](std::string_view t) { return t == "t0k"; }});
  constexpr std::string_view kAsk = "X-Rotator-Explain: 1\r\nX-Rotator-Admin: Bearer t0k\r\n";
  proxy.blame(1, {.key = KeyAction::kGood});
  HttpAnswer answer;
  do answer = proxy.get("/a", kAsk);
  while (upstream.requests() < 2);
  const auto steps = boost::json::parse(answer.field("x-rotator-trace")).as_array();
  ASSERT_GE(steps.size(), 1U);
  // The trace's winner is the key that the upstream saw.
  EXPECT_EQ(steps.back().at("key").as_string(), fingerprint(ProxyUnderTest::key(2)));
  EXPECT_EQ(steps.back().at("outcome").as_string(), "ok");
  answer = proxy.get("/a", kAsk);
  const auto later = boost::json::parse(answer.field("x-rotator-trace")).as_array();
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(later[0].at("skipped").at("cooling").to_number<int>(), 1);
  EXPECT_EQ(upstream.last().head.find("otator-"), std::string::npos);
}

TEST(Explain, NobodyElseDoes) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .is_admin = [](std::string_view t) { return t == "t0k"; }});
  for (const std::string_view fields : {"", "X-Rotator-Explain: 1\r\n", "X-Rotator-Admin: Bearer t0k\r\n",
                                        "X-Rotator-Explain: 1\r\nX-Rotator-Admin: Bearer wrong\r\n",
                                        "X-Rotator-Explain: 1\r\nX-Rotator-Admin: t0k\r\n"}) {
    EXPECT_EQ(proxy.get("/a", fields).count("x-rotator-trace"), 0U) << fields;
  }
  ProxyUnderTest closed({.target_url = upstream.url()});
  EXPECT_EQ(closed.get("/a", "X-Rotator-Explain: 1\r\nX-Rotator-Admin: Bearer t0k\r\n").count("x-rotator-trace"), 0U);
}

TEST(Explain, TheLogTellsAFailedRequestsWholeStory) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(429, "no", "Retry-After: 30\r\n"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  EXPECT_EQ(proxy.get("/a", "X-Request-Id: story-1\r\n").status, 429);
  EXPECT_EQ(proxy.get("/a", "X-Request-Id: story-2\r\n").status, 429);
  const std::string log = proxy.log();
  int traces = 0;
  for (const std::string_view line : split(log, '\n')) {
    if (line.empty()) continue;
    const auto members = boost::json::parse(line).as_object();
    if (!members.contains("trace")) {
      EXPECT_EQ(members.at("skipped").to_number<int>(), 2) << line;
      continue;
    }
    ++traces;
    const auto& steps = members.at("trace").as_array();
    if (members.at("id").as_string() == "story-1") {
      ASSERT_EQ(steps.size(), 3U) << line;
      EXPECT_EQ(steps[0].at("cooldown_ms").to_number<int>(), 30'000);
      EXPECT_EQ(steps[2].at("refused").as_string(), "all_keys_cooling");
    } else {
      ASSERT_EQ(steps.size(), 1U) << line;
    }
  }
  EXPECT_EQ(traces, 2);
}

}  // namespace
}  // namespace akr
