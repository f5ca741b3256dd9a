// streaming_test.cpp - answers on their way down: as they arrive, with cuts that show, to clients that may leave.
#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::TestGateway;
using test::UpstreamCall;

const std::string kKeyField = "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n";
const std::string kGet = TestGateway::request("GET", "/proxy/s/a", kKeyField);
const std::string kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

// A count that one thread raises and another waits for.
class Steps {
 public:
  void raise() {
    const std::lock_guard lock(mutex_);
    ++count_;
    raised_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return raised_.wait_for(lock, seconds(20), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable raised_;
  int count_ = 0;
};

class Streaming : public testing::Test {
 protected:
  HttpAnswer get() { return gateway_.get("/proxy/s/a"); }
  void add(const std::string& more = "") { gateway_.add_service({.target_url = upstream_.url(), .more = more}); }
  void add_llm(const std::string& format, const std::string& more = "") {
    gateway_.add_service({.target_url = upstream_.url(), .llm = true, .api_format = format, .more = more});
  }

  test::ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  TestGateway gateway_{{{"SSE_KEEPALIVE", "1"}}};
};

// The upstream sends an event only after the client has the one before: nothing is held back, whole or in parts.
TEST_F(Streaming, EachPieceIsForwardedBeforeTheNextExists) {
  Steps received;
  constexpr int kPieces = 60;
  const auto piece = [](int i) { return i % 3 == 0 ? "data: {\"n\":" + std::to_string(i) : i % 3 == 1 ? "}\n" : "\n"; };
  std::vector<steady_clock::time_point> sent(kPieces);
  script_ = [&](UpstreamCall& call) {
    call.send(kStreamHead);
    for (int i = 0; i < kPieces && received.wait_for(i); ++i) {
      sent[static_cast<std::size_t>(i)] = steady_clock::now();
      call.send_chunk(piece(i));
    }
    if (received.wait_for(kPieces)) call.send_chunk("");
  };
  add();
  HttpClient client = gateway_.client();
  client.send(kGet);
  EXPECT_EQ(client.receive_head().field("content-type"), "text/event-stream");
  std::vector<milliseconds> waits;
  for (int i = 0; i < kPieces; ++i) {
    std::string size;
    std::string chunk;
    ASSERT_TRUE(client.take_until("\r\n", size));
    ASSERT_TRUE(client.take(piece(i).size() + 2, chunk));
    EXPECT_EQ(chunk, piece(i) + "\r\n");
    waits.push_back(std::chrono::duration_cast<milliseconds>(steady_clock::now() - sent[static_cast<std::size_t>(i)]));
    received.raise();
  }
  std::string end;
  EXPECT_TRUE(client.take_until("0\r\n\r\n", end));
  std::sort(waits.begin(), waits.end());
  EXPECT_LT(waits[kPieces / 2], milliseconds(25));  // a timer or a buffer would show; the figure itself is the bench's
}

// ---- clients that leave

TEST_F(Streaming, ClientResetDuringAStreamClosesTheUpstreamWithinASecond) {
  std::promise<milliseconds> closed;
  script_ = [&](UpstreamCall& call) {
    call.send(kStreamHead);
    call.send_chunk("data: 1\n\n");
    const auto began = steady_clock::now();
    EXPECT_TRUE(call.wait_for_close());
    closed.set_value(std::chrono::duration_cast<milliseconds>(steady_clock::now() - began));
  };
  add();
  HttpClient client = gateway_.client();
  client.send(kGet);
  EXPECT_EQ(client.receive_head().status, 200);
  std::string event;
  EXPECT_TRUE(client.take_until("data: 1\n\n", event));
  client.reset();
  EXPECT_LT(closed.get_future().get(), seconds(1));
}

TEST_F(Streaming, ClientFinDuringAStreamClosesTheUpstreamWithinASecond) {
  std::promise<void> closed;
  script_ = [&](UpstreamCall& call) {
    call.send(kStreamHead);
    call.send_chunk("data: 1\n\n");
    EXPECT_TRUE(call.wait_for_close());
    closed.set_value();
  };
  add();
  HttpClient client = gateway_.client();
  client.send(kGet);
  std::string event;
  EXPECT_TRUE(client.take_until("data: 1\n\n", event));
  const auto began = steady_clock::now();
  client.close();
  closed.get_future().wait();
  EXPECT_LT(steady_clock::now() - began, seconds(1));
}

TEST_F(Streaming, ClientThatLeavesBeforeTheAnswerClosesTheUpstreamToo) {
  Steps arrived;
  std::promise<void> closed;
  script_ = [&](UpstreamCall& call) {
    arrived.raise();
    EXPECT_TRUE(call.wait_for_close());
    closed.set_value();
  };
  add();
  HttpClient client = gateway_.client();
  client.send(kGet);
  ASSERT_TRUE(arrived.wait_for(1));
  const auto began = steady_clock::now();
  client.reset();
  closed.get_future().wait();
  EXPECT_LT(steady_clock::now() - began, seconds(1));
  EXPECT_EQ(upstream_.requests(), 1);  // and nobody tries again for it
}

TEST_F(Streaming, AHalfClosedClientStillGetsItsAnswer) {
  script_ = [](UpstreamCall& call) { call.answer(200, "here"); };
  add();
  HttpClient client = gateway_.client();
  client.send(kGet);
  client.half_close();
  EXPECT_EQ(client.receive().body, "here");
}

// ---- cuts

TEST_F(Streaming, ACutChunkedAnswerIsNotEndedCleanly) {
  add();
  for (const bool reset : {false, true}) {
    script_ = [reset](UpstreamCall& call) {
      call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
      reset ? call.reset() : call.close();
    };
    const HttpAnswer answer = get();
    EXPECT_FALSE(answer.complete);
    if (!reset) EXPECT_EQ(answer.body, "abc");  // what came is still delivered; a reset may overtake it
  }
}

TEST_F(Streaming, ACutAnswerWithALengthIsNotEndedCleanly) {
  script_ = [](UpstreamCall& call) {
    call.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    call.close();
  };
  add();
  const HttpAnswer answer = get();
  EXPECT_EQ(answer.field("content-length"), "10");
  EXPECT_FALSE(answer.complete);
}

TEST_F(Streaming, BrokenChunksAreACut) {
  script_ = [](UpstreamCall& call) {
    call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0x0\r\n\r\n");
    call.wait_for_close();
  };
  add();
  EXPECT_FALSE(get().complete);
}

TEST_F(Streaming, AnAnswerThatEndsWithItsConnectionBecomesChunked) {
  script_ = [](UpstreamCall& call) {
    call.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    call.close();
  };
  add();
  const HttpAnswer answer = get();
  EXPECT_EQ(answer.field("transfer-encoding"), "chunked");
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, "all of it");
}

TEST_F(Streaming, OldClientsSeeACutAsAReset) {
  add();
  const std::string old = "GET /proxy/s/a HTTP/1.0\r\n" + kKeyField + "\r\n";
  script_ = [](UpstreamCall& call) {
    call.send(kStreamHead);
    call.send_chunk("abc");
    call.close();
  };
  HttpClient cut = gateway_.client();
  const HttpAnswer answer = cut.ask(old);
  EXPECT_EQ(answer.field("transfer-encoding"), "");
  EXPECT_FALSE(answer.complete);
  script_ = [](UpstreamCall& call) {
    call.send(kStreamHead);
    call.send_chunk("abc");
    call.send_chunk("");
  };
  HttpClient whole = gateway_.client();
  EXPECT_EQ(whole.ask(old).body, "abc");
  EXPECT_TRUE(whole.ended_cleanly());
}

// D32: the reader of an LLM stream gets one error event in its dialect, then no clean end.
TEST_F(Streaming, ACutLlmStreamEndsWithAnErrorEvent) {
  script_ = [](UpstreamCall& call) {
    call.read_body();  // closing with unread bytes would be a reset
    call.send(kStreamHead);
    call.send_chunk("data: {\"n\":1}\n\n");
    call.close();
  };
  add_llm("openai_compatible");
  const HttpAnswer answer = gateway_.post("/llm/s/v1/chat/completions", "{}");
  EXPECT_FALSE(answer.complete);
  EXPECT_NE(answer.body.find("data: {\"n\":1}\n\nevent: error\ndata: {\"error\":"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("upstream_stream_interrupted"), std::string::npos);
  EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
}

TEST_F(Streaming, NoErrorEventInsideAHalfSentOne) {
  script_ = [](UpstreamCall& call) {
    call.read_body();  // closing with unread bytes would be a reset
    call.send(kStreamHead);
    call.send_chunk("data: 1\n\n");
    call.send_chunk("data: {\"n\":");
    call.close();
  };
  add_llm("anthropic_native");
  const HttpAnswer answer = gateway_.post("/llm/s/v1/messages", "{}");
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body, "data: 1\n\ndata: {\"n\":");
}

TEST_F(Streaming, StreamIdleTimerCutsAndNamesItself) {
  script_ = [](UpstreamCall& call) {
    call.send(kStreamHead);
    call.send_chunk("data: 1\n\n");
    call.wait_for_close();
  };
  add_llm("openai_compatible", R"(,"stream_idle_timeout_ms":150)");
  const HttpAnswer answer = gateway_.post("/llm/s/v1/chat/completions", "{}");
  EXPECT_FALSE(answer.complete);
  EXPECT_NE(answer.body.find("stream_idle"), std::string::npos) << answer.body;
}

TEST_F(Streaming, SilenceIsFilledWithCommentsBetweenEventsOnly) {
  Steps go_on;
  script_ = [&](UpstreamCall& call) {
    call.send(kStreamHead);
    call.send_chunk("data: 1\n\n");
    go_on.wait_for(1);
    call.send_chunk("data: 2\n\n");
    call.send_chunk("");
  };
  add();
  HttpClient client = gateway_.client();
  client.send(kGet);
  const HttpAnswer head = client.receive_head();
  EXPECT_EQ(head.field("cache-control"), "no-cache");
  EXPECT_EQ(head.field("x-accel-buffering"), "no");
  std::string bytes;
  EXPECT_TRUE(client.take_until("d\r\n: keepalive\n\n\r\n", bytes));
  EXPECT_EQ(bytes, "9\r\ndata: 1\n\n\r\nd\r\n: keepalive\n\n\r\n");
  go_on.raise();
  EXPECT_TRUE(client.take_until("0\r\n\r\n", bytes));
}

// ---- what kinds of answers there are

TEST_F(Streaming, BodilessAnswersHaveNoBody) {
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

TEST_F(Streaming, InterimAnswersAreDropped) {
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

TEST_F(Streaming, RepeatedFieldsStayAndCookiesOnlyWhereAllowed) {
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
TEST_F(Streaming, BytesBehindAnAnswerNeverReachTheNextClient) {
  const std::string mine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine";
  const std::string surplus = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";
  script_ = [&](UpstreamCall& call) { call.send(mine + surplus); };
  add();
  HttpClient client = gateway_.client();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask(kGet).body, "mine");
}

TEST_F(Streaming, AnAnswerNobodyAskedForClosesTheIdleConnection) {
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
TEST_F(Streaming, StaleConnectionsAreInvisible) {
  std::atomic<bool> reset = false;
  script_ = [&](UpstreamCall& call) {
    const bool by_reset = reset;  // now: when the answer has left, the test may be over
    call.answer(200, "ok");
    by_reset ? call.reset() : call.close();
  };
  add();
  HttpClient client = gateway_.client();
  for (int i = 0; i < 100; ++i) {
    reset = i % 2 == 0;
    EXPECT_EQ(client.ask(kGet).status, 200) << i;
  }
  EXPECT_EQ(upstream_.requests(), 100);
}

TEST_F(Streaming, ConnectionsAreReused) {
  script_ = [](UpstreamCall& call) { call.answer(200, "ok"); };
  add();
  HttpClient client = gateway_.client();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.ask(kGet).status, 200);
  EXPECT_EQ(upstream_.connections(), 1);
}

TEST_F(Streaming, ALargeAnswerArrivesWhole) {
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
