// relayed_answers_test.cpp - answers of every kind on their way down, and the connections they leave to the upstream.
#include <atomic>

#include <gtest/gtest.h>

#include "tests/support/streaming_fixture.hpp"

namespace akr {
namespace {

using test::HttpAnswer;
using test::HttpClient;
using test::kKeyField;
using test::Steps;
using test::TestGateway;
using test::UpstreamCall;

using RelayedAnswers = test::StreamingFixture;

// ---- what kinds of answers there are

TEST_F(RelayedAnswers, BodilessAnswersHaveNoBody) {
  add();
  script_ = [](UpstreamCall& call) {
    call.send("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n");
  };
  HttpClient client = gateway_.client();
  EXPECT_EQ(client.ask(kGet).field("etag"), "\"x\"");
  script_ = [](UpstreamCall& call) { call.send("HTTP/1.1 204 No Content\r\n\r\n"); };
  EXPECT_EQ(client.ask(kGet).count("content-length"), 0U);
  script_ = [](UpstreamCall& call) { call.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"); };
  EXPECT_EQ(client.ask(TestGateway::request("HEAD", "/proxy/s/a", kKeyField), true).field("content-length"), "5");
  script_ = [](UpstreamCall& call) { call.answer(200, "last"); };
  EXPECT_EQ(client.ask(kGet).body, "last");  // one connection served them all
}

TEST_F(RelayedAnswers, InterimAnswersAreDropped) {
  script_ = [](UpstreamCall& call) {
    for (int i = 0; i < 1000; ++i) call.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    call.send("HTTP/1.1 100 Continue\r\n\r\n");
    call.answer(200, "final");
  };
  add();
  const HttpAnswer answer = get();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "final");
  EXPECT_EQ(answer.count("link"), 0U);
}

TEST_F(RelayedAnswers, RepeatedFieldsStayAndCookiesOnlyWhereAllowed) {
  std::string cookies;
  for (int i = 0; i < 50; ++i)
    cookies += "Set-Cookie: c" + std::to_string(i) + "=v\r\nLink: <" + std::to_string(i) + ">\r\n";
  script_ = [&](UpstreamCall& call) {
    call.answer(200, "x", cookies + "Connection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n");
  };
  add(R"(,"allow_set_cookie":true)");
  gateway_.add_service({.slug = "plain", .target_url = upstream_.url()});
  const HttpAnswer answer = get();
  EXPECT_EQ(answer.count("set-cookie"), 50U);
  EXPECT_EQ(answer.count("link"), 50U);
  EXPECT_EQ(answer.count("x-hop") + answer.count("keep-alive"), 0U);
  EXPECT_EQ(gateway_.get("/proxy/plain/a").count("set-cookie"), 0U);
}

// ---- connections to the upstream

// reliability.md r.B: a second answer that came with the first, or before the next request did.
TEST_F(RelayedAnswers, BytesBehindAnAnswerNeverReachTheNextClient) {
  const std::string mine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine";
  const std::string surplus = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";
  script_ = [&](UpstreamCall& call) { call.send(mine + surplus); };
  add();
  HttpClient client = gateway_.client();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask(kGet).body, "mine");
}

TEST_F(RelayedAnswers, AnAnswerNobodyAskedForClosesTheIdleConnection) {
  Steps answered;
  Steps spilled;
  script_ = [&](UpstreamCall& call) {
    call.answer(200, "mine");
    answered.wait_for(upstream_.requests());
    call.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled");
    spilled.raise();
  };
  add();
  HttpClient client = gateway_.client();
  for (int i = 1; i <= 20; ++i) {
    EXPECT_EQ(client.ask(kGet).body, "mine");
    answered.raise();
    ASSERT_TRUE(spilled.wait_for(i));
  }
}

// behaviour.md scenario 73: the upstream closes each connection after its answer without saying so.
TEST_F(RelayedAnswers, StaleConnectionsAreInvisible) {
  // The script still reads it when the last answer has arrived and this function is over.
  const auto reset = std::make_shared<std::atomic<bool>>(false);
  script_ = [reset](UpstreamCall& call) {
    call.answer(200, "ok");
    *reset ? call.reset() : call.close();
  };
  add();
  HttpClient client = gateway_.client();
  for (int i = 0; i < 100; ++i) {
    *reset = i % 2 == 0;
    EXPECT_EQ(client.ask(kGet).status, 200) << i;
  }
  EXPECT_EQ(upstream_.requests(), 100);
}

TEST_F(RelayedAnswers, ConnectionsAreReused) {
  script_ = [](UpstreamCall& call) { call.answer(200, "ok"); };
  add();
  HttpClient client = gateway_.client();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.ask(kGet).status, 200);
  EXPECT_EQ(upstream_.connections(), 1);
}

TEST_F(RelayedAnswers, ALargeAnswerArrivesWhole) {
  std::string body;
  for (int i = 0; body.size() < 8U << 20; ++i) body += std::to_string(i) + ',';
  script_ = [&](UpstreamCall& call) { call.answer(200, body); };
  add();
  const HttpAnswer answer = get();
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.body == body);
}

}  // namespace
}  // namespace akr
