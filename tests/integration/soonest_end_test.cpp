// soonest_end_test.cpp - when a client may come back after several keys were limited: behaviour.md D06.
#include <gtest/gtest.h>

#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::key_number;
using test::PoolClock;
using test::ProxyUnderTest;
using test::UpstreamCall;

// After two limited keys the client was told the wait of whichever came last, half an hour instead of five seconds.
TEST(SoonestEnd, OfSeveralLimitedKeysTheAnswerNamesTheFirstToComeBack) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.answer(429, "slow down",
                key_number(call) == 1 ? "Retry-After: 5\r\n" : "Retry-After: 1800\r\nretry-after-ms: 1800000\r\n");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  PoolClock clock(proxy.pool());
  const HttpAnswer answer = proxy.get("/a");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.body, "slow down");
  EXPECT_EQ(answer.field("x-rotator-error-source"), "upstream");
  const std::string told = answer.field("retry-after");
  EXPECT_TRUE(told == "5" || told == "4") << told;
  if (key_number(upstream.last()) == 2) EXPECT_EQ(answer.field("retry-after-ms").size(), 4U);
}

TEST(SoonestEnd, AnAnswerWithoutAHintNamesThatOfTheOtherKey) {
  FakeUpstream upstream(
      [](UpstreamCall& call) { call.answer(429, "slow down", key_number(call) == 1 ? "Retry-After: 7\r\n" : ""); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2});
  PoolClock clock(proxy.pool());
  EXPECT_EQ(proxy.get("/a").field("retry-after"), "7");
}

TEST(SoonestEnd, AFreeKeyIsWorthComingBackForAtOnce) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(429, "slow down", "Retry-After: 1800\r\n"); });
  RetrySettings once;
  once.max_attempts = 1;
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .retry = once});
  PoolClock clock(proxy.pool());
  EXPECT_EQ(proxy.get("/a").field("retry-after"), "1");
  EXPECT_EQ(proxy.get("/a").field("retry-after"), "1800");
}

}  // namespace
}  // namespace akr
