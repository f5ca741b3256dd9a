// upgrade_test.cpp - websocket: relayed both ways once the upstream has answered 101.
#include <future>

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

const std::string kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
    "abc\r\n\r\n";
const std::string kUpgrade =
    TestGateway::request("GET", "/proxy/s/ws",
                         "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) +
                             "\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n");

class Upgrade : public testing::Test {
 protected:
  Upgrade() { gateway_.add_service({.target_url = upstream_.url()}); }
  test::ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  TestGateway gateway_;
};

// Echoes until the other side ends.
void echo(UpstreamCall& call) {
  call.send(kSwitching);
  for (;;) {
    const std::string bytes = call.receive(65536);
    if (bytes.empty()) break;
    call.send(bytes);
  }
  call.close();
}

TEST_F(Upgrade, BytesGoBothWaysEarlyOnesToo) {
  script_ = echo;
  HttpClient client = gateway_.client();
  client.send(kUpgrade + "early");
  const HttpAnswer answer = client.receive();
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.field("upgrade"), "websocket");
  EXPECT_EQ(answer.field("sec-websocket-accept"), "abc");
  std::string bytes;
  EXPECT_TRUE(client.take(5, bytes));
  EXPECT_EQ(bytes, "early");
  const std::string more(100'000, '\x82');
  client.send(more);
  EXPECT_TRUE(client.take(more.size(), bytes));
  EXPECT_TRUE(bytes == more);
  EXPECT_EQ(upstream_.requests(), 1);
}

TEST_F(Upgrade, TheRequestIsAnUpgradeWithOurKey) {
  script_ = echo;
  HttpClient client = gateway_.client();
  EXPECT_EQ(client.ask(kUpgrade).status, 101);
  client.half_close();
  EXPECT_TRUE(client.closes());
  ASSERT_TRUE(test::eventually([&] { return !upstream_.seen().empty(); }));
  const auto request = upstream_.last();
  EXPECT_EQ(request.field("connection"), "Upgrade");
  EXPECT_EQ(request.field("upgrade"), "websocket");
  EXPECT_EQ(request.field("sec-websocket-key"), "k");
  EXPECT_EQ(request.field("authorization"), "Bearer " + TestGateway::key("s", 1));
}

TEST_F(Upgrade, TheUpstreamsEndReachesTheClient) {
  script_ = [](UpstreamCall& call) {
    call.send(kSwitching + "bye");
    call.close();
  };
  HttpClient client = gateway_.client();
  EXPECT_EQ(client.ask(kUpgrade).status, 101);
  client.half_close();
  EXPECT_EQ(client.rest(), "bye");
}

TEST_F(Upgrade, TheClientsEndReachesTheUpstream) {
  std::promise<bool> closed;
  script_ = [&](UpstreamCall& call) {
    call.send(kSwitching);
    closed.set_value(call.wait_for_close());
  };
  HttpClient client = gateway_.client();
  EXPECT_EQ(client.ask(kUpgrade).status, 101);
  client.reset();
  EXPECT_TRUE(closed.get_future().get());
}

TEST_F(Upgrade, ARefusalIsAnOrdinaryAnswer) {
  script_ = [](UpstreamCall& call) { call.answer(404, "no sockets"); };
  HttpClient client = gateway_.client();
  EXPECT_EQ(client.ask(kUpgrade).body, "no sockets");
  script_ = [](UpstreamCall& call) { call.answer(200, "next"); };
  EXPECT_EQ(client
                .ask(TestGateway::request("GET", "/proxy/s/a",
                                          "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n"))
                .body,
            "next");
}

TEST_F(Upgrade, NobodySwitchesUnasked) {
  script_ = [](UpstreamCall& call) {
    call.send(kSwitching + "raw");
    call.wait_for_close();
  };
  const HttpAnswer answer = gateway_.get("/proxy/s/a");
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.body.find("raw"), std::string::npos);
}

}  // namespace
}  // namespace akr
