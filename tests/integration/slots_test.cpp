// slots_test.cpp - however an attempt ends, its key is free again: behaviour.md section 3, scenario 32.  A thousand of
// each end, with more clients than the keys may serve at the same time.
#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/run_gateway.hpp"
#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::key_number;
using test::operator_keys;
using test::ProxyUnderTest;
using test::TestGateway;
using test::UpstreamCall;

constexpr int kAttempts = 1000;
constexpr int kKeys = 8;
constexpr int kAtOnce = 3;
constexpr int kClients = 28;
constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";

// Whether the connection may be used again.
using Ask = std::function<bool(HttpClient&, const std::string& request)>;

// Every slot taken: our own refusal, which cost no attempt.
void wait_for_a_slot() { std::this_thread::sleep_for(2ms); }

bool ask_whole(HttpClient& client, const std::string& request) {
  const HttpAnswer answer = client.ask(request);
  if (answer.status == 429) wait_for_a_slot();
  return answer.complete && answer.field("connection") != "close";
}

bool ask_and_leave(HttpClient& client, const std::string& request) {
  client.send(request);
  const HttpAnswer head = client.receive_head();
  if (head.status != 429) {
    client.reset();
    return false;
  }
  std::string body;
  wait_for_a_slot();
  return client.take(std::stoul(head.field("content-length")), body);
}

class Slots : public testing::Test {
 protected:
  // In the upstream, while the attempt still holds its slot for certain.
  void at_work(UpstreamCall& call) {
    std::atomic<int>& mine = at_key_.at(static_cast<std::size_t>(key_number(call)));
    if (++mine > kAtOnce) exceeded_ = true;
    call.wait(1ms);
    --mine;
  }

  void expect_given_back(const FakeUpstream::Script& script, const Ask& ask,
                         std::chrono::milliseconds first_byte = 20s) {
    FakeUpstream upstream(script);
    upstream.keep_no_requests();
    ProxyUnderTest proxy(
        {.target_url = upstream.url(), .keys = kKeys, .retry = {.max_attempts = 1}, .first_byte = first_byte});
    auto keys = operator_keys(kKeys);
    for (UpstreamKey& key : keys) key.limits.max_concurrency = kAtOnce;
    proxy.pool().replace_keys(keys);
    const auto work = [&] {
      std::optional<HttpClient> client;
      while (upstream.requests() < kAttempts) {
        if (!client) client.emplace(proxy.client());
        if (!ask(*client, proxy.request("GET", "/a"))) client.reset();
      }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kClients; ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(exceeded_);
    const auto counts = [&] { return proxy.pool().counts(std::chrono::steady_clock::now()); };
    EXPECT_TRUE(test::eventually([&] { return counts().in_flight == 0; }));
    EXPECT_EQ(counts().active, static_cast<std::size_t>(kKeys));
    for (int i = 1; i <= kKeys; ++i) EXPECT_EQ(proxy.status(i).in_flight, 0U) << i;
  }

  std::array<std::atomic<int>, kKeys + 1> at_key_ = {};
  std::atomic<bool> exceeded_ = false;
};

TEST_F(Slots, S32AreFreeAfterASuccess) {
  expect_given_back(
      [this](UpstreamCall& call) {
        at_work(call);
        call.answer(200, "ok");
      },
      ask_whole);
}

TEST_F(Slots, S32AreFreeAfterAClientsError) {
  expect_given_back(
      [this](UpstreamCall& call) {
        at_work(call);
        call.answer(422, "no");
      },
      ask_whole);
}

TEST_F(Slots, S32AreFreeAfterATimeout) {
  expect_given_back([](UpstreamCall& call) { call.wait_for_close(); }, ask_whole, 10ms);
}

TEST_F(Slots, S32AreFreeAfterAClientLeft) {
  expect_given_back(
      [](UpstreamCall& call) {
        call.send(kStreamHead);
        call.send_chunk("begin");
        call.wait_for_close();
      },
      ask_and_leave);
}

TEST_F(Slots, S32AreFreeAfterAResetInTheMiddle) {
  expect_given_back(
      [this](UpstreamCall& call) {
        at_work(call);
        call.send(kStreamHead);
        call.send_chunk("begin");
        call.reset();
      },
      ask_whole);
}

TEST_F(Slots, S32AreFreeAfterAFailureOfTheEgressProxy) {
  std::uint16_t port = 0;
  ::close(test::listen_on_loopback(1, port));  // nobody listens there any more
  FakeUpstream upstream(test::answer_ok);
  TestGateway gateway;
  const auto service = gateway.add_service(
      {.target_url = upstream.url(),
       .keys = 0,
       .more = R"(,"max_attempts":1,"egress_proxy":"socks5://127.0.0.1:)" + std::to_string(port) + '"'});
  for (int i = 1; i <= kKeys; ++i) {
    const std::string body = R"({"key_value":")" + TestGateway::key("s", i) + R"(","limits":{"max_concurrency":3}})";
    const auto path = "/admin/proxy-configs/" + std::to_string(service) + "/keys";
    ASSERT_EQ(gateway.admin("POST", path, body).status, 201);
  }
  std::atomic<int> failed = 0;
  const auto work = [&] {
    HttpClient client = gateway.client();
    const std::string request =
        TestGateway::request("GET", "/proxy/s/a", "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n");
    while (failed < kAttempts) {
      const int status = client.ask(request).status;
      EXPECT_TRUE(status == 502 || status == 429) << status;
      if (status == 502) ++failed;
      if (status == 0) return;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  const auto metrics = [&] { return gateway.client().ask(TestGateway::request("GET", "/metrics")).body; };
  EXPECT_TRUE(
      test::eventually([&] { return metrics().find("rotator_keys_in_use{service=\"s\"} 0\n") != std::string::npos; }));
  EXPECT_NE(metrics().find("rotator_keys{service=\"s\",state=\"active\"} 8\n"), std::string::npos) << metrics();
  EXPECT_EQ(upstream.requests(), 0);
}

}  // namespace
}  // namespace akr
