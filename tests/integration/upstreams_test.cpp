// upstreams_test.cpp - services with several URLs: shares, tiers, ejection and return, and what follows the chosen one.
#include <atomic>
#include <chrono>
#include <future>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/llm_streams.hpp"
#include "tests/support/proxy_under_test.hpp"
#include "tests/support/refusing_port.hpp"
#include "tests/support/run_gateway.hpp"
#include "tests/support/upload_urls.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::always;
using test::eventually;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kChat;
using test::kJson;
using test::ProxyUnderTest;
using test::RefusingPort;
using test::UpstreamCall;

constexpr std::string_view kPath = test::kChatPath;
constexpr std::string_view kExplain = "X-Rotator-Explain: 1\r\nX-Rotator-Admin: Bearer t0k\r\n";

bool is_admin(std::string_view token) { return token == "t0k"; }

// Answers with the status that the test sets meanwhile.
FakeUpstream::Script obeying(std::atomic<int>& status) {
  return [&](UpstreamCall& call) { call.answer(status, "answer"); };
}

UpstreamState state_of(ProxyUnderTest& proxy, std::size_t index) {
  return proxy.upstreams().states(std::chrono::steady_clock::now())[index].state;
}

// ---- shares and tiers

TEST(Upstreams, TakeTheirSharesByWeight) {
  FakeUpstream a(always(200)), b(always(200)), drained(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url(), 3, 0}, {b.url(), 1, 0}, {drained.url(), 0, 0}}});
  for (int i = 0; i < 400; ++i) ASSERT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(a.requests(), 300);
  EXPECT_EQ(b.requests(), 100);
  EXPECT_EQ(drained.requests(), 0);
}

TEST(Upstreams, ASecondTierServesOnlyWhileTheFirstIsOut) {
  std::atomic<int> status = 200;
  FakeUpstream first(obeying(status)), second(always(200));
  ProxyUnderTest proxy({.upstreams = {{second.url(), 1, 7}, {first.url(), 1, 0}}, .ejection = {.hold = 1s}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(second.requests(), 0);
  status = 500;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(second.requests(), 10);
  EXPECT_EQ(first.requests(), 15);  // five in a row, then none
  status = 200;
  ASSERT_TRUE(
      eventually([&] { return proxy.get("/a").status == 200 && state_of(proxy, 1) == UpstreamState::kHealthy; }));
  const int before = second.requests();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(second.requests(), before);
}

// ---- ejection

TEST(Upstreams, AUrlThatRefusesConnectionsCostsFiveAttempts) {
  RefusingPort a;
  FakeUpstream b(always(200));
  test::CapturedOutput output;
  start_log(LogLevel::kInfo);
  stop_log();  // lines are written at once
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url("/v1?token=canary"), 1, 0}}});
  for (int i = 0; i < 30; ++i) {
    // Nothing was sent: a POST may go elsewhere too.
    EXPECT_EQ(proxy.ask(i % 2 == 0 ? "GET" : "POST", "/a", i % 2 == 0 ? "" : "x").status, 200);
  }
  EXPECT_EQ(b.requests(), 30);
  EXPECT_EQ(proxy.upstreams().states(std::chrono::steady_clock::now())[0].consecutive_failures, 5U);
  EXPECT_EQ(state_of(proxy, 0), UpstreamState::kEjected);
  EXPECT_EQ(proxy.status(1).consecutive_failures, 0U);
  const std::string text = output.text();
  EXPECT_NE(text.find("upstream_ejected"), std::string::npos) << text;
  EXPECT_NE(text.find(a.url().substr(7)), std::string::npos) << text;
  EXPECT_EQ(text.find("canary"), std::string::npos) << text;
}

TEST(Upstreams, ConsecutiveServerErrorsEjectAndAGoodAnswerReturns) {
  std::atomic<int> status = 503;
  FakeUpstream a(obeying(status)), b(always(200));
  test::CapturedOutput output;
  start_log(LogLevel::kInfo);
  stop_log();  // lines are written at once
  ProxyUnderTest proxy({.llm = true, .upstreams = {{a.url(), 1, 0}, {b.url(), 1, 0}}, .ejection = {.hold = 1s}});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  EXPECT_EQ(a.requests(), 5);
  EXPECT_EQ(b.requests(), 20);
  // Half open: its one request fails, and it is out for twice as long.
  ASSERT_TRUE(eventually([&] { return proxy.post(kPath, kChat).status == 200 && a.requests() == 6; }));
  EXPECT_EQ(state_of(proxy, 0), UpstreamState::kEjected);
  status = 200;
  ASSERT_TRUE(eventually([&] { return proxy.post(kPath, kChat).status == 200 && a.requests() == 7; }));
  EXPECT_EQ(state_of(proxy, 0), UpstreamState::kHealthy);
  const int before = a.requests();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  EXPECT_EQ(a.requests() - before, 5);
  EXPECT_NE(output.text().find("upstream_returned"), std::string::npos);
}

TEST(Upstreams, OneRequestTriesWhatIsHalfOpen) {
  std::atomic<int> status = 500;
  std::atomic<bool> held = false;
  FakeUpstream a([&](UpstreamCall& call) {
    while (status == 200 && held) call.wait(1ms);
    call.answer(status, "a");
  });
  FakeUpstream b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url(), 1, 0}}, .ejection = {.hold = 50ms}});
  while (state_of(proxy, 0) != UpstreamState::kEjected) EXPECT_EQ(proxy.get("/a").status, 200);
  ASSERT_TRUE(eventually([&] { return state_of(proxy, 0) == UpstreamState::kTrial; }));
  status = 200;
  held = true;
  auto trial = proxy.client();
  trial.send(proxy.request("GET", "/trial"));
  ASSERT_TRUE(eventually([&] { return a.requests() == 6; }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(proxy.get("/a").body, "ok");
  EXPECT_EQ(a.requests(), 6);
  held = false;
  EXPECT_EQ(trial.receive().body, "a");
  EXPECT_EQ(state_of(proxy, 0), UpstreamState::kHealthy);
}

TEST(Upstreams, AClientThatLeavesLeavesTheTrialToTheNext) {
  std::atomic<int> status = 500;
  std::atomic<bool> held = false;
  FakeUpstream a([&](UpstreamCall& call) {
    if (held) {
      call.wait_for_close();
      return call.close();
    }
    call.answer(status, "a");
  });
  FakeUpstream b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url(), 1, 0}}, .ejection = {.hold = 50ms}});
  while (state_of(proxy, 0) != UpstreamState::kEjected) EXPECT_EQ(proxy.get("/a").status, 200);
  ASSERT_TRUE(eventually([&] { return state_of(proxy, 0) == UpstreamState::kTrial; }));
  status = 200;
  held = true;
  {
    auto leaves = proxy.client();
    leaves.send(proxy.request("GET", "/trial"));
    ASSERT_TRUE(eventually([&] { return a.requests() == 6; }));
  }
  ASSERT_TRUE(eventually([&] { return proxy.log().find("\"status\":499") != std::string::npos; }));
  held = false;
  EXPECT_EQ(proxy.get("/a").body, "a");
  EXPECT_EQ(state_of(proxy, 0), UpstreamState::kHealthy);
}

TEST(Upstreams, HealthAloneNeverRefusesARequest) {
  FakeUpstream a(always(503, "a")), b(always(503, "b"));
  ProxyUnderTest proxy({.llm = true, .upstreams = {{a.url(), 1, 0}, {b.url(), 1, 1}}});
  for (int i = 0; i < 12; ++i) {
    const HttpAnswer answer = proxy.post(kPath, kChat);
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.body == "a" || answer.body == "b") << answer.body;
  }
  EXPECT_EQ(state_of(proxy, 0), UpstreamState::kEjected);
  EXPECT_EQ(state_of(proxy, 1), UpstreamState::kEjected);
  EXPECT_GE(a.requests() + b.requests(), 12);
}

TEST(Upstreams, AnAnswerThatIsCutCountsAgainstItsUrl) {
  FakeUpstream a([](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    call.reset();
  });
  FakeUpstream b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url(), 1, 1}}});
  EXPECT_FALSE(proxy.get("/a").complete);
  EXPECT_TRUE(eventually(
      [&] { return proxy.upstreams().states(std::chrono::steady_clock::now())[0].consecutive_failures == 1; }));
  EXPECT_EQ(b.requests(), 0);
}

TEST(Upstreams, TheOperatorsTotalTimeoutDuringAnAnswerDoesNot) {
  FakeUpstream a([](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    call.wait_for_close();
  });
  FakeUpstream b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url(), 1, 1}},
                        .adjust = [](Service& service) { service.timeouts.total = 200ms; }});
  EXPECT_FALSE(proxy.get("/a").complete);
  EXPECT_TRUE(eventually([&] { return proxy.log().find("'total' of 200 ms") != std::string::npos; }));
  EXPECT_EQ(proxy.upstreams().states(std::chrono::steady_clock::now())[0].consecutive_failures, 0U);
}

// ---- keys and second tries (D05)

TEST(Upstreams, OneKeyFailsOverFromUrlToUrl) {
  FakeUpstream a(always(500, "a")), b(always(502, "b")), c(always(200, "c"));
  ProxyUnderTest proxy(
      {.llm = true, .is_admin = is_admin, .upstreams = {{a.url(), 1, 0}, {b.url(), 1, 1}, {c.url(), 1, 2}}});
  const HttpAnswer answer = proxy.post(kPath, kChat, kExplain);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "c");
  for (const FakeUpstream* each : {&a, &b, &c}) {
    ASSERT_EQ(each->requests(), 1);
    EXPECT_EQ(each->last().field("authorization"), ProxyUnderTest::bearer(1));
  }
  const auto steps = boost::json::parse(answer.field("x-rotator-trace")).as_array();
  ASSERT_EQ(steps.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(steps[i].at("upstream").to_number<std::size_t>(), i);
    EXPECT_FALSE(steps[i].as_object().contains("service"));
  }
  EXPECT_EQ(steps[2].at("host").as_string(), c.url().substr(7));
  EXPECT_TRUE(eventually([&] { return proxy.status(1).in_flight == 0; }));
}

TEST(Upstreams, AKeyThatWasBlamedIsNotUsedAgain) {
  FakeUpstream a(always(429, "slow down")), b(always(200));
  ProxyUnderTest proxy({.llm = true, .upstreams = {{a.url(), 1, 0}, {b.url(), 1, 1}}});
  EXPECT_EQ(proxy.post(kPath, kChat).status, 429);
  EXPECT_EQ(a.requests(), 1);
  EXPECT_EQ(b.requests(), 0);
}

TEST(Upstreams, UntriedKeysComeBeforeTheSameKey) {
  FakeUpstream a(always(500)), b(always(500)), c(always(200));
  ProxyUnderTest proxy({.keys = 2, .llm = true, .upstreams = {{a.url(), 1, 0}, {b.url(), 1, 1}, {c.url(), 1, 2}}});
  EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  EXPECT_NE(a.last().field("authorization"), b.last().field("authorization"));
  EXPECT_EQ(b.last().field("authorization"), c.last().field("authorization"));
}

TEST(Upstreams, AttemptsAreStillCounted) {
  FakeUpstream a(always(500)), b(always(500)), c(always(200));
  ProxyUnderTest proxy(
      {.llm = true, .retry = {.max_attempts = 2}, .upstreams = {{a.url(), 1, 0}, {b.url(), 1, 1}, {c.url(), 1, 2}}});
  EXPECT_EQ(proxy.post(kPath, kChat).status, 500);
  EXPECT_EQ(c.requests(), 0);
}

TEST(Upstreams, ARestPostThatMayHaveBeenDoneIsNotDoneElsewhere) {
  FakeUpstream fails(always(500)), closes([](UpstreamCall& call) {
    call.read_body();
    call.close();
  });
  for (FakeUpstream* first : {&fails, &closes}) {
    FakeUpstream other(always(200));
    ProxyUnderTest proxy({.keys = 3, .upstreams = {{first->url(), 1, 0}, {other.url(), 1, 1}}});
    EXPECT_GE(proxy.post("/a", "x").status, 500);
    EXPECT_EQ(first->requests(), 1);
    EXPECT_EQ(other.requests(), 0);
    EXPECT_EQ(proxy.get("/a").status, 200);
  }
}

// ---- what follows the chosen URL

TEST(Upstreams, EachHasABasePathAndAQueryOfItsOwn) {
  FakeUpstream a(always(500)), b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url("/v1/"), 1, 0}, {b.url("/other/base?fixed=1"), 1, 1}}});
  EXPECT_EQ(proxy.get("/models%2Fx?b=2").status, 200);
  EXPECT_EQ(a.last().target, "/v1/models%2Fx?b=2");
  EXPECT_EQ(b.last().target, "/other/base/models%2Fx?fixed=1&b=2");
  EXPECT_EQ(a.last().field("host"), a.url().substr(7));
  EXPECT_EQ(b.last().field("host"), b.url().substr(7));
}

// The views of the client's head move when a body needs a larger buffer.
TEST(Upstreams, ALargeBodyIsFollowedByTheRightTarget) {
  FakeUpstream a(always(500)), b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url("/one"), 1, 0}, {b.url("/two"), 1, 1}}});
  const std::string body(300'000, 'x');
  auto client = proxy.client();
  const std::string request = proxy.request("PUT", "/file/" + std::string(500, 'n'), body);
  client.send(std::string_view(request).substr(0, 1000));
  std::this_thread::sleep_for(20ms);
  client.send(std::string_view(request).substr(1000));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(b.last().target, "/two/file/" + std::string(500, 'n'));
  EXPECT_EQ(b.last().body, body);
}

TEST(Upstreams, AKeyInTheQueryGoesToTheChosenUrl) {
  FakeUpstream a(always(500)), b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url("/a"), 1, 0}, {b.url("/b"), 1, 1}}, .adjust = [](Service& service) {
                          service.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
                        }});
  EXPECT_EQ(proxy.get("/x?y=1").status, 200);
  EXPECT_EQ(a.last().target, "/a/x?y=1&key=" + ProxyUnderTest::key(1));
  EXPECT_EQ(b.last().target, "/b/x?y=1&key=" + ProxyUnderTest::key(1));
}

TEST(Upstreams, AnUploadUrlOfTheChosenOneLeadsHereAgain) {
  FakeUpstream a(always(500));
  FakeUpstream b([&](UpstreamCall& call) {
    const std::string own = "http://" + call.request().field("host") + "/b/upload/v1beta/files?upload_id=7";
    call.answer(200, "{}", std::string(kJson) + "X-Goog-Upload-URL: " + own + "\r\n");
  });
  ProxyUnderTest proxy(
      {.llm = true, .api_format = "gemini_native", .upstreams = {{a.url("/a"), 1, 0}, {b.url("/b"), 1, 1}}});
  const HttpAnswer answer = proxy.post("/upload/v1beta/files", "{}", kJson);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(test::without_credential(answer.field("x-goog-upload-url")),
            "http://gateway.test/llm/s/upload/v1beta/files?upload_id=7");
}

TEST(Upstreams, AWebsocketGoesToTheChosenOne) {
  RefusingPort a;
  FakeUpstream b([](UpstreamCall& call) {
    call.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
    call.wait_for_close();
    call.close();
  });
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url("/ws"), 1, 1}}});
  auto client = proxy.client();
  client.send(proxy.request("GET", "/chat", "",
                            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  std::string text;
  EXPECT_TRUE(client.take_until("hello", text));
  EXPECT_TRUE(text.starts_with("HTTP/1.1 101")) << text;
  EXPECT_EQ(b.requests(), 1);
}

TEST(Upstreams, ConnectionsAreReusedPerUrl) {
  FakeUpstream a(always(200)), b(always(200));
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url(), 1, 0}}});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(proxy.get("/a").status, 200);
  EXPECT_EQ(a.requests(), 10);
  EXPECT_EQ(a.connections(), 1);
  EXPECT_EQ(b.connections(), 1);
}

}  // namespace
}  // namespace akr
