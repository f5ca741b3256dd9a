// nothing_usable_test.cpp - no key can serve: four answers that are never confused (behaviour.md section 3, S19 to
// S21).
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
using test::kJson;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kPath = test::kChatPath;

std::string error_of(const HttpAnswer& answer) { return answer.body; }

TEST(NothingUsable, S19CoolingKeysAre429WithTheSoonestEnd) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3});
  for (int i = 1; i <= 3; ++i) {
    proxy.blame(i,
                {.key = KeyAction::kCool, .cool_for = 10s * i, .retry = RetryAdvice::kNextKey, .reason = "http_429"});
  }
  const HttpAnswer answer = proxy.get("/a");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.field("retry-after"), "10");
  EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
  EXPECT_NE(error_of(answer).find("all_keys_cooling"), std::string::npos) << answer.body;
  EXPECT_EQ(upstream.requests(), 0);
}

TEST(NothingUsable, S20AnEmptyPoolIs503) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  for (const bool disabled : {true, false}) {
    ProxyUnderTest proxy(
        {.target_url = upstream.url(), .keys = disabled ? 2 : 0, .llm = true, .all_disabled = disabled});
    const HttpAnswer answer = proxy.post(kPath, kChat);
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(error_of(answer).find("no_keys_configured"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(upstream.requests(), 0);
}

TEST(NothingUsable, S20RefusedCredentialsAre502AlsoWhenNoKeyIsLeft) {
  FakeUpstream upstream(
      [](UpstreamCall& call) { call.answer(401, R"({"error":{"message":"Incorrect API key"}})", kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 4; ++i) {
    const HttpAnswer answer = proxy.post(kPath, kChat);
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
    EXPECT_NE(error_of(answer).find("upstream_credentials_exhausted"), std::string::npos) << answer.body;
  }
}

TEST(NothingUsable, S20AWrongAccessKeyIs401) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  ProxyUnderTest proxy({.target_url = upstream.url()});
  EXPECT_EQ(proxy.ask("GET", "/a", {}, {}, "not-an-access-key-at-all").status, 401);
  EXPECT_EQ(upstream.requests(), 0);
}

TEST(NothingUsable, S21AnUpstreamsErrorIsNotCalledCooling) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(520, "origin"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
  for (int i = 2; i <= 3; ++i) proxy.blame(i, {.key = KeyAction::kCool, .cool_for = 100s, .reason = "http_429"});
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 520);
  EXPECT_EQ(answer.body, "origin");
}

TEST(NothingUsable, ARequestMayWaitForTheSoonestKey) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .wait_for_key = 5s});
  for (int i = 1; i <= 2; ++i) proxy.blame(i, {.key = KeyAction::kCool, .cool_for = 1s * i, .reason = "http_429"});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(proxy.get("/a").status, 200);
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 900ms);
  EXPECT_LT(took, 1900ms);
}

TEST(NothingUsable, ARequestDoesNotWaitForWhatComesTooLate) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1, .wait_for_key = 2s});
  proxy.blame(1, {.key = KeyAction::kExhaust, .cool_for = 50s, .reason = "quota"});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_NE(proxy.get("/a").status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
}

TEST(NothingUsable, AClientThatLeavesWhileItWaitsCostsNoAttempt) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .wait_for_key = 5s});
  for (int i = 1; i <= 2; ++i) proxy.blame(i, {.key = KeyAction::kCool, .cool_for = 1500ms, .reason = "http_429"});
  {
    auto client = proxy.client();
    client.send(proxy.request("GET", "/a"));
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_TRUE(test::eventually([&] { return proxy.log().find("\"status\":499") != std::string::npos; }, 1500ms));
  EXPECT_EQ(upstream.requests(), 0);
}

}  // namespace
}  // namespace akr
