// fallback_final_test.cpp - answers that no other service is asked for, and what is told when all of them fail.
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

// ---- what is no reason

class FinalAnswers : public testing::TestWithParam<int> {};

TEST_P(FinalAnswers, BelongToTheRequestAndStay) {
  FakeUpstream asked(always(GetParam(), "mine")), other(always(200));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, GetParam());
  EXPECT_EQ(answer.body, "mine");
  EXPECT_EQ(other.requests(), 0);
  EXPECT_FALSE(line_of(proxy).contains("served_by"));
}
INSTANTIATE_TEST_SUITE_P(Statuses, FinalAnswers, testing::Values(200, 302, 400, 404, 413, 422, 501));

TEST(Fallback, ARestPostThatMayHaveBeenDoneIsNotDoneElsewhere) {
  FakeUpstream other(always(200, "other"));
  for (const int status : {500, 503, 408}) {
    FakeUpstream asked(always(status));
    ProxySpec spec = pair_of(asked.url(), other.url());
    spec.llm = spec.fallbacks[0].llm = false;
    ProxyUnderTest proxy(spec);
    EXPECT_EQ(proxy.post("/a", "x").status, status);
    EXPECT_EQ(other.requests(), 0);
  }
  FakeUpstream turns_away(always(429));
  ProxySpec spec = pair_of(turns_away.url(), other.url());
  spec.llm = spec.fallbacks[0].llm = false;
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post("/a", "x").body, "other");
}

TEST(Fallback, AClientThatLeftNeedsNoOther) {
  FakeUpstream asked([](UpstreamCall& call) {
    call.wait_for_close();
    call.close();
  });
  FakeUpstream other(always(200));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  {
    auto client = proxy.client();
    client.send(proxy.request("POST", kPath, kChat));
    ASSERT_TRUE(eventually([&] { return asked.requests() == 1; }));
  }
  ASSERT_TRUE(eventually([&] { return proxy.log().find("\"status\":499") != std::string::npos; }));
  EXPECT_EQ(other.requests(), 0);
}

TEST(Fallback, NoneStartsAfterTheRetryBudget) {
  FakeUpstream asked([](UpstreamCall& call) {
    call.wait(200ms);
    call.answer(500, "late");
  });
  FakeUpstream other(always(200));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.retry = {.max_attempts = 1, .budget = 100ms};
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post(kPath, kChat).body, "late");
  EXPECT_EQ(other.requests(), 0);
}

TEST(Fallback, TheAskedServicesTotalTimeoutStays) {
  FakeUpstream asked(always(500));
  FakeUpstream other([](UpstreamCall& call) {
    call.wait(5s);
    call.answer(200, "late");
  });
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.adjust = [](Service& service) { service.timeouts.total = 300ms; };
  ProxyUnderTest proxy(spec);
  const auto began = std::chrono::steady_clock::now();
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find("'total' of 300 ms"), std::string::npos) << answer.body;
}

// ---- when all fail

TEST(AllFail, TheAskedServicesErrorIsToldWithTheSoonestReturn) {
  FakeUpstream nobody(always(200));
  ProxySpec spec = pair_of(nobody.url(), nobody.url());
  spec.fallbacks.push_back(spec.fallbacks[0]);
  for (const bool disabled : {false, true}) {
    spec.all_disabled = disabled;
    ProxyUnderTest proxy(spec);
    if (!disabled) cool(proxy, 1, 30s);
    cool(proxy, 101, 20s);
    cool(proxy, 201, 25s);
    const HttpAnswer answer = proxy.post(kPath, kChat);
    EXPECT_EQ(answer.status, disabled ? 503 : 429);
    EXPECT_EQ(answer.field("retry-after"), "20");
    EXPECT_EQ(answer.count("x-should-retry"), 0U);  // it may help
    EXPECT_NE(answer.body.find(disabled ? "no_keys_configured" : "all_keys_cooling"), std::string::npos);
    EXPECT_FALSE(line_of(proxy).contains("served_by"));
  }
  EXPECT_EQ(nobody.requests(), 0);
}

TEST(AllFail, WithoutAnyAnswerTheFirstErrorIsTold) {
  RefusingPort asked;
  FakeUpstream nobody(always(200));
  ProxyUnderTest proxy(pair_of(asked.url(), nobody.url()));
  cool(proxy, 101, 20s);
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.field("retry-after"), "");
  EXPECT_NE(answer.body.find("upstream_connect"), std::string::npos) << answer.body;
}

TEST(AllFail, TheLastAnswerOfAnUpstreamGoesToTheClient) {
  FakeUpstream asked(always(500, "asked")), other(always(503, "other"));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "other");
  EXPECT_EQ(answer.field("x-rotator-error-source"), "upstream");
  EXPECT_EQ(line_of(proxy).at("served_by").as_string(), "f1");
}

TEST(AllFail, AnUpstreamsWordsAreBetterThanNone) {
  FakeUpstream asked(always(429, "slow down, " + ProxyUnderTest::key(1), "Retry-After: 77\r\n"));
  RefusingPort other;
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 429);
  EXPECT_TRUE(answer.body.starts_with("slow down, ****")) << answer.body;
  EXPECT_EQ(answer.field("retry-after"), "77");
  EXPECT_EQ(answer.field("x-rotator-error-source"), "upstream");
  const auto line = line_of(proxy);
  EXPECT_FALSE(line.contains("served_by"));
  EXPECT_EQ(line.at("attempts").to_number<int>(), 2);
  EXPECT_TRUE(eventually([&] { return proxy.status(1).in_flight == 0 && proxy.status(101).in_flight == 0; }));
}

TEST(AllFail, RefusedCredentialsStayOurOwnError) {
  FakeUpstream asked(always(401, "no")), other(always(403, "no"));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  const HttpAnswer answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 502);
  EXPECT_NE(answer.body.find("upstream_credentials_exhausted"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("401"), std::string::npos) << answer.body;  // the asked service's
}

// The asked service's error was logged with the key and the outcome of the fallback that was tried last.
TEST(AllFail, TheLogNamesTheKeyOfTheServiceWhoseErrorItIs) {
  RefusingPort asked, other;
  ProxyUnderTest both(pair_of(asked.url(), other.url()));
  EXPECT_EQ(both.post(kPath, kChat).status, 502);
  ProxyUnderTest alone({.target_url = asked.url(), .llm = true});
  EXPECT_EQ(alone.post(kPath, kChat).status, 502);
  const auto expected = line_of(alone);
  const auto line = line_of(both);
  EXPECT_FALSE(line.contains("served_by"));
  EXPECT_EQ(line.at("key"), expected.at("key"));
  EXPECT_EQ(line.at("outcome"), expected.at("outcome"));
  ProxyUnderTest idle(pair_of(asked.url(), other.url()));
  cool(idle, 1, 1min);  // so that no key of the asked service was tried
  EXPECT_EQ(idle.post(kPath, kChat).status, 429);
  EXPECT_FALSE(line_of(idle).contains("key")) << idle.log();
}

}  // namespace
}  // namespace akr
