// rotation_test.cpp - which key a request goes out with: D09's fairness, disabled keys, the second try.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::TestGateway;
using test::UpstreamCall;

void answer_ok(UpstreamCall& call) { call.answer(200, "ok"); }
std::string bearer(int number) { return "Bearer " + TestGateway::key("s", number); }
const std::string kRequest =
    TestGateway::request("GET", "/proxy/s/a", "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n");

// Sends `total` requests over `connections` connections at the same time; how many were answered with 200.
int send_many(std::uint16_t port, int total, int connections) {
  std::atomic<int> left = total;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back([&] {
      HttpClient client(port);
      while (left.fetch_sub(1) > 0) good += client.ask(kRequest).status == 200 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return good;
}

TEST(Rotation, TenThousandRequestsOverTenKeysAreOneThousandEach) {
  FakeUpstream upstream(answer_ok);
  upstream.keep_no_requests();
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 10});
  EXPECT_EQ(send_many(gateway.port(), 10'000, 64), 10'000);
  const auto counts = upstream.count_by("authorization");
  EXPECT_EQ(counts.size(), 10U);
  for (const auto& [key, count] : counts) EXPECT_NEAR(count, 1000, 1) << key;
}

TEST(Rotation, DisabledKeysAreSkippedAndComeBack) {
  FakeUpstream upstream(answer_ok);
  TestGateway gateway;
  const auto service = gateway.add_service({.target_url = upstream.url(), .keys = 3});
  gateway.switch_key(service, 2, false);
  EXPECT_EQ(send_many(gateway.port(), 20, 1), 20);
  auto counts = upstream.count_by("authorization");
  EXPECT_EQ(counts[bearer(1)], 10);
  EXPECT_EQ(counts[bearer(2)], 0);
  EXPECT_EQ(counts[bearer(3)], 10);
  gateway.switch_key(service, 2, true);
  EXPECT_EQ(send_many(gateway.port(), 9, 1), 9);
  EXPECT_EQ(upstream.count_by("authorization")[bearer(2)], 3);
}

TEST(Rotation, AllKeysDisabledIs503) {
  FakeUpstream upstream(answer_ok);
  TestGateway gateway;
  const auto service = gateway.add_service({.target_url = upstream.url(), .keys = 1});
  gateway.switch_key(service, 1, false);
  const HttpAnswer answer = gateway.get("/proxy/s/a");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("no_keys_configured"), std::string::npos) << answer.body;
  EXPECT_EQ(upstream.requests(), 0);
}

class AnotherKey : public testing::TestWithParam<int> {};

// Also for POST: the provider decided on the key, not on the work.
TEST_P(AnotherKey, IsTriedWhenOneIsRefused) {
  std::atomic<int> calls = 0;
  FakeUpstream upstream([&](UpstreamCall& call) {
    if (++calls == 1) {
      call.answer(GetParam(), R"({"error":"no"})", "Retry-After: 7\r\n");
    } else {
      call.answer(200, call.read_body() ? call.request().body : "cut");
    }
  });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 3});
  const HttpAnswer answer = gateway.post("/proxy/s/a?b=c", R"({"x":1})", "Content-Type: application/json\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"x":1})");
  const auto seen = upstream.seen();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_NE(seen[0].field("authorization"), seen[1].field("authorization"));
  EXPECT_EQ(seen[0].target, seen[1].target);
  EXPECT_EQ(seen[0].body, seen[1].body);
}

INSTANTIATE_TEST_SUITE_P(Statuses, AnotherKey, testing::Values(401, 403, 429));

TEST(Rotation, EachKeyIsTriedOncePerRequest) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(429, "slow down", "Retry-After: 1\r\n"); });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 2});
  const HttpAnswer answer = gateway.get("/proxy/s/a");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.body, "slow down");  // the provider's own words
  EXPECT_EQ(answer.field("x-rotator-error-source"), "upstream");
  EXPECT_EQ(upstream.requests(), 2);
  EXPECT_EQ(upstream.count_by("authorization").size(), 2U);
}

TEST(Rotation, ConnectErrorsAreTriedAgainWithAnotherKey) {
  std::uint16_t port = 0;
  ::close(test::listen_on_loopback(1, port));  // nobody listens there any more
  TestGateway gateway;
  gateway.add_service({.target_url = "http://127.0.0.1:" + std::to_string(port), .keys = 3});
  const HttpAnswer answer = gateway.post("/proxy/s/a", "x");
  EXPECT_EQ(answer.status, 502);
  EXPECT_NE(answer.body.find("upstream_connect_failed"), std::string::npos) << answer.body;
  // A request is counted when it is over, which is after its answer.
  const auto metrics = [&] { return gateway.client().ask(TestGateway::request("GET", "/metrics")).body; };
  const std::string attempts = "rotator_upstream_attempts_total{service=\"s\"} 3\n";
  EXPECT_TRUE(test::eventually([&] { return metrics().find(attempts) != std::string::npos; })) << metrics();
  EXPECT_NE(metrics().find("rotator_keys{service=\"s\",state=\"active\"} 3"), std::string::npos) << metrics();
}

// REST POST + 500: once; GET + 500: up to three times (behaviour.md scenario 31).
TEST(Rotation, WorkIsNotDoneTwice) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(500, "boom"); });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 5});
  EXPECT_EQ(gateway.post("/proxy/s/a", "x").status, 500);
  EXPECT_EQ(upstream.requests(), 1);
  EXPECT_EQ(gateway.get("/proxy/s/a").status, 500);
  EXPECT_EQ(upstream.requests(), 4);
}

// behaviour.md scenarios 1 and 2.
TEST(Rotation, BadRequestsBlameNoKey) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(call.request().target == "/bad" ? 400 : 404, "no"); });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 3});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gateway.get("/proxy/s/bad").status, 400);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gateway.get("/proxy/s/missing").status, 404);
  EXPECT_EQ(upstream.requests(), 40);
  const std::string metrics = gateway.client().ask(TestGateway::request("GET", "/metrics")).body;
  EXPECT_NE(metrics.find("rotator_keys{service=\"s\",state=\"active\"} 3"), std::string::npos) << metrics;
}

TEST(Rotation, ARefusedPoolIsNotTheClientsFault) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(401, "bad key"); });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 2});
  const HttpAnswer answer = gateway.get("/proxy/s/a");
  EXPECT_EQ(answer.status, 502);
  EXPECT_NE(answer.body.find("upstream_credentials_exhausted"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
}

// behaviour.md scenario 19: all keys cool, the upstream is left alone.
TEST(Rotation, ACoolingPoolAnswersByItself) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(429, "slow", "Retry-After: 30\r\n"); });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 2});
  EXPECT_EQ(gateway.get("/proxy/s/a").status, 429);
  EXPECT_EQ(upstream.requests(), 2);
  const HttpAnswer answer = gateway.get("/proxy/s/a");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
  EXPECT_NEAR(std::atoi(answer.field("retry-after").c_str()), 30, 1);
  EXPECT_EQ(upstream.requests(), 2);
}

}  // namespace
}  // namespace akr
