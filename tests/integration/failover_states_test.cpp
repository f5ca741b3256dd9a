// failover_states_test.cpp - what keys are blamed for, and how they come back: behaviour.md section 3 by number of
// scenario, continued from failover_test.cpp.  The pool's time is the test's.
#include <algorithm>
#include <atomic>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/run_gateway.hpp"
#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::answer_ok;
using test::ChangingScript;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::kChat;
using test::key_number;
using test::kJson;
using test::only_key;
using test::PoolClock;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kPath = test::kChatPath;
const Verdict kCoolTen = {.key = KeyAction::kCool, .cool_for = 10s, .retry = RetryAdvice::kNextKey};

int asked(FakeUpstream& upstream, int key) { return upstream.count_by("authorization")[ProxyUnderTest::bearer(key)]; }

// ---- scenario 8: what the gateway refuses by itself is nobody's fault

TEST(OwnErrors, S8BlameNoKeyWhateverTheySay) {
  FakeUpstream upstream(answer_ok);
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
  EXPECT_EQ(proxy.ask("POST", "/v1/quota-exceeded", kChat, {}, "wrong-key-insufficient_quota-0000").status, 401);
  EXPECT_EQ(proxy.ask("TRACE", "/v1/quota").status, 405);
  EXPECT_EQ(proxy.get("/v1/../../quota").status, 400);
  const std::string elsewhere = "GET /llm/quota-exceeded/v1/models HTTP/1.1\r\nHost: g\r\nX-Proxy-Key: ";
  EXPECT_EQ(proxy.client().ask(elsewhere + std::string(ProxyUnderTest::kAccessKey) + "\r\n\r\n").status, 404);
  const std::string broken = proxy.request("POST", kPath, {}, "Transfer-Encoding: chunked\r\n") + "quota\r\n";
  EXPECT_EQ(proxy.client().ask(broken).status, 400);
  EXPECT_EQ(upstream.requests(), 0);
  expect_untouched(proxy, 3);
}

TEST(OwnErrors, S8A429OfOurOwnLengthensNoWait) {
  FakeUpstream upstream(answer_ok);
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3});
  for (int i = 1; i <= 3; ++i) proxy.blame(i, kCoolTen);
  std::vector<KeyStatus> before;
  for (int i = 1; i <= 3; ++i) before.push_back(proxy.status(i));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(proxy.get("/a").status, 429);
  for (int i = 1; i <= 3; ++i) {
    const KeyStatus after = proxy.status(i);
    const KeyStatus& was = before[static_cast<std::size_t>(i - 1)];
    EXPECT_EQ(after.until, was.until);
    EXPECT_EQ(after.since, was.since);
    EXPECT_EQ(after.consecutive_failures, was.consecutive_failures);
    EXPECT_EQ(after.in_flight, 0U);
  }
  EXPECT_EQ(upstream.requests(), 0);
}

TEST(AutoDisable, S9OffLeavesARefusedKeyInItsPlace) {
  FakeUpstream upstream(only_key(1, 401, "no"));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3});
  ASSERT_TRUE(proxy.pool().configure({.auto_disable = false}));
  for (int i = 0; asked(upstream, 1) < 100 && i < 1000; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(asked(upstream, 1), 100);
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
  EXPECT_EQ(proxy.status(1).standing, KeyStanding::kUsable);
  EXPECT_EQ(proxy.pool().counts(std::chrono::steady_clock::now()).disabled, 0U);
}

// ---- scenario 10: most of the pool fails alike

class Wave : public testing::Test {
 protected:
  static constexpr int kKeys = 40;

  // Requests until the guard is on; at most one per key is needed.
  void trip(ProxyUnderTest& proxy) {
    for (int i = 0; i < kKeys && !proxy.pool().outage().suspected; ++i) EXPECT_NE(proxy.post(kPath, kChat).status, 200);
    EXPECT_TRUE(proxy.pool().outage().suspected);
  }
  void expect_all_active(ProxyUnderTest& proxy, int keys) {
    for (int i = 1; i <= keys; ++i) ASSERT_EQ(proxy.status(i).state, KeyState::kActive) << i;
  }

  ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
};

TEST_F(Wave, S10LeavesTheUpstreamOneProbeASecondAndOneSuccessRestoresAll) {
  for (const int status : {429, 403}) {
    script_ = [status](UpstreamCall& call) { call.answer(status, "no"); };
    ProxyUnderTest proxy({.target_url = upstream_.url(), .keys = kKeys, .llm = true});
    PoolClock clock(proxy.pool());
    const int before = upstream_.requests();
    trip(proxy);
    EXPECT_LE(upstream_.requests() - before, kKeys / 2 + 3);
    for (int second = 0; second < 5; ++second) {
      clock.pass(1s);
      const int calls = upstream_.requests();
      for (int i = 0; i < 20; ++i) {
        const HttpAnswer answer = proxy.post(kPath, kChat);
        EXPECT_TRUE(answer.status == status || answer.status == 429 || answer.status == 502) << answer.status;
      }
      EXPECT_EQ(upstream_.requests() - calls, 1);
    }
    EXPECT_EQ(proxy.post(kPath, kChat).field("retry-after"), "1");
    expect_all_active(proxy, kKeys);
    script_ = answer_ok;
    clock.pass(1s);
    std::vector<int> used(kKeys + 1);
    for (int i = 0; i < kKeys; ++i) {
      EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
      ++used[static_cast<std::size_t>(key_number(upstream_.last()))];
    }
    EXPECT_FALSE(proxy.pool().outage().suspected);
    for (int i = 1; i <= kKeys; ++i) EXPECT_EQ(used[static_cast<std::size_t>(i)], 1) << i;
  }
}

// The figure of issue 3: two minutes of 403 from everywhere change the state of no key, and it heals in under 5 s.
TEST_F(Wave, TwoMinutesOf403ChangeNoKeyAndHealAtOnce) {
  script_ = [](UpstreamCall& call) { call.answer(403, "blocked"); };
  ProxyUnderTest proxy({.target_url = upstream_.url(), .keys = 20, .llm = true});
  PoolClock clock(proxy.pool());
  trip(proxy);
  auto client = proxy.client();
  const std::string request = proxy.request("POST", kPath, kChat);
  for (int tick = 0; tick < 120 * 8; ++tick) {
    EXPECT_NE(client.ask(request).status, 200);
    clock.pass(125ms);
  }
  expect_all_active(proxy, 20);
  EXPECT_LE(upstream_.requests(), 10 + 3 + 120);
  EXPECT_EQ(proxy.pool().outage().episodes, 1U);
  script_ = answer_ok;
  Duration healed{0};
  for (; client.ask(request).status != 200; healed += 125ms) clock.pass(125ms);
  EXPECT_LE(healed, 5s);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask(request).status, 200);
  expect_all_active(proxy, 20);
}

// ---- the way back

TEST(WayBack, S11AnExhaustedKeyIsTriedAfterItsHourAndComesBack) {
  ChangingScript script;
  script = only_key(1, 402, "pay");
  FakeUpstream upstream([&](UpstreamCall& call) { script(call); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 15});
  PoolClock clock(proxy.pool());
  for (int i = 0; i < 15; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  ASSERT_EQ(proxy.status(1).state, KeyState::kExhausted);
  clock.pass(1h - 1s);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(asked(upstream, 1), 1);
  script = answer_ok;
  clock.pass(1s);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(asked(upstream, 1), 2);
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
}

TEST(WayBack, S12APoolWithEveryKeyExhaustedRecoversByItself) {
  ChangingScript script;
  script = [](UpstreamCall& call) { call.answer(402, "pay"); };
  FakeUpstream upstream([&](UpstreamCall& call) { script(call); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3});
  ASSERT_TRUE(proxy.pool().configure({.outage_guard = false}));
  PoolClock clock(proxy.pool());
  EXPECT_EQ(proxy.get("/a").status, 502);
  EXPECT_EQ(proxy.get("/a").status, 502);
  EXPECT_EQ(upstream.requests(), 3);
  script = answer_ok;
  clock.pass(1h);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(proxy.status(i).state, KeyState::kActive);
}

// Not a stampede: while one request tries the key, the others go elsewhere.
TEST(WayBack, S14AfterAnAbsurdHintOneRequestTriesTheKey) {
  std::atomic<bool> may_end = false;
  ChangingScript script;
  script = only_key(1, 429, "later", "Retry-After: 561635\r\n");
  FakeUpstream upstream([&](UpstreamCall& call) { script(call); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  PoolClock clock(proxy.pool());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  ASSERT_EQ(proxy.status(1).state, KeyState::kCooling);
  script = [&](UpstreamCall& call) {
    while (key_number(call) == 1 && !may_end) call.wait(1ms);
    answer_ok(call);
  };
  clock.pass(1h);
  std::vector<HttpClient> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(proxy.client());
    clients.back().send(proxy.request("GET", "/a"));
  }
  ASSERT_TRUE(test::eventually([&] { return upstream.requests() >= 3 + 12; }));
  EXPECT_EQ(asked(upstream, 1), 2) << "the refusal and one trial";
  may_end = true;
  for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
}

// ---- scenarios 39 and 45: after the first byte nothing is tried again, and nobody is blamed

TEST(AfterTheFirstByte, S45AClientThatLeavesEndsTheUpstreamAndBlamesNobody) {
  std::atomic<bool> closed = false;
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    call.send_chunk("data: {\"choices\":[]}\n\n");
    closed = call.wait_for_close(60s);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
  {
    auto client = proxy.client();
    client.send(proxy.request("POST", kPath, kChat));
    std::string event;
    ASSERT_TRUE(client.take_until("choices", event));
    client.reset();
  }
  EXPECT_TRUE(test::eventually([&] { return closed.load(); }, 1s));
  EXPECT_TRUE(test::eventually([&] { return proxy.log().find("\"status\":499") != std::string::npos; }, 2s));
  EXPECT_EQ(upstream.requests(), 1);
  expect_untouched(proxy, 3);
}

TEST(AfterTheFirstByte, S39AStallEndsWithOneErrorEventAndBlamesNobody) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    call.send_chunk("data: {\"choices\":[]}\n\n");
    call.wait_for_close();
  });
  test::TestGateway gateway;
  const auto service = gateway.add_service(
      {.target_url = upstream.url(), .keys = 2, .llm = true, .more = R"(,"stream_idle_timeout_ms":150)"});
  const HttpAnswer answer = gateway.post("/llm/s/v1/chat/completions", kChat);
  EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
  const auto error = answer.body.find("\"error\"");
  ASSERT_NE(error, std::string::npos) << answer.body;
  EXPECT_EQ(answer.body.find("\"error\"", error + 1), std::string::npos) << answer.body;
  EXPECT_EQ(upstream.requests(), 1);
  const auto keys = gateway.admin("GET", "/admin/proxy-configs/" + std::to_string(service) + "/keys");
  const boost::json::value listed = boost::json::parse(keys.body);
  for (const auto& key : listed.as_array()) {
    EXPECT_EQ(key.at("state").as_string(), "active");
    EXPECT_EQ(key.at("consecutive_failures").to_number<int>(), 0);
  }
}

TEST(AfterTheFirstByte, ACutInTheMiddleIsTriedOnceAndBlamesNobody) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    call.send_chunk("data: {\"choices\":[]}\n\n");
    call.reset();
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
  EXPECT_EQ(upstream.requests(), 1);
  expect_untouched(proxy, 3);
}

}  // namespace
}  // namespace akr
