#include "net/server/server.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::HandlerServer;
using test::HttpAnswer;
using test::HttpClient;

// Answers with the request's target.
Task<void> echo_target(Downstream& client) {
  std::string body(client.head().target());
  co_await client.reply(200, "", std::move(body));
}

// Answers with the request's body.
Task<void> echo_body(Downstream& client) {
  std::string body;
  client.send_continue();
  for (;;) {
    std::string_view run;
    const IoResult got = client.try_read_body(run);
    if (got.status == IoStatus::kEof) break;
    if (got.status == IoStatus::kOk) body += run;
    if (got.status == IoStatus::kError) {
      body = "error " + std::to_string(got.error);
      client.forbid_keep_alive();
      break;
    }
    if (got.status != IoStatus::kWouldBlock) continue;
    const WaitEnd end = co_await wait_for(client.socket(), got.want, client.body_deadline());
    if (end != WaitEnd::kReady) {
      client.forbid_keep_alive();
      co_await client.reply(408, "", "");
      co_return;
    }
  }
  co_await client.reply(200, "", std::move(body));
}

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

TEST(Server, KeepsConnectionsAlive) {
  HandlerServer server(echo_target);
  HttpClient client(server.port());
  for (int i = 0; i < 5; ++i) {
    const std::string target = "/" + std::to_string(i);
    const HttpAnswer answer = client.ask(get(target));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, target);
    EXPECT_EQ(answer.field("connection"), "");
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  HandlerServer server(echo_target);
  HttpClient client(server.port());
  std::string all;
  for (int i = 0; i < 50; ++i) all += get("/" + std::to_string(i));
  client.send(all);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.receive().body, "/" + std::to_string(i));
}

// Ten connections with 0.7 MB of pipelined requests each let all others wait for 1.7 to 3.5 s: what was in the buffer
// was answered to its end before the loop came round.  (Kind: loops that do not return to the event loop.)
TEST(Server, AnswersFewPipelinedRequestsPerTurnOfTheLoop) {
  constexpr int kRequests = 300;
  std::map<std::uint64_t, int> by_turn;  // touched by the worker only
  HandlerServer server([&by_turn](Downstream& client) -> Task<void> {
    ++by_turn[client.worker().turn()];
    co_await client.reply(200, "", "x");
  });
  HttpClient client(server.port());
  std::string all;
  for (int i = 0; i < kRequests; ++i) all += get("/");
  client.send(all);
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.receive().body, "x");
  server.stop();
  int most = 0;
  for (const auto& [turn, requests] : by_turn) most = std::max(most, requests);
  EXPECT_LE(most, 4);
}

TEST(Server, TakesPipelinedBodiesApart) {
  HandlerServer server(echo_body);
  HttpClient client(server.port());
  client.send(
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
      "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
      "POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nf");
  for (const char* body : {"abc", "de", "f"}) EXPECT_EQ(client.receive().body, body);
}

TEST(Server, TakesARequestByteByByte) {
  HandlerServer server(echo_body);
  HttpClient client(server.port());
  const int on = 1;
  ::setsockopt(client.fd(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
  const std::string request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (char c : request) client.send({&c, 1});
  EXPECT_EQ(client.receive().body, "abc");
}

TEST(Server, ClosesWhenTheClientAsksForIt) {
  HandlerServer server(echo_target);
  HttpClient client(server.port());
  EXPECT_EQ(client.ask(get("/", "Connection: close\r\n")).field("connection"), "close");
  EXPECT_TRUE(client.closes());
  EXPECT_TRUE(client.ended_cleanly());
  HttpClient old(server.port());
  EXPECT_EQ(old.ask("GET / HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(old.closes());
}

TEST(Server, AnswersHeadWithoutABody) {
  HandlerServer server(echo_target);
  HttpClient client(server.port());
  const HttpAnswer answer = client.ask("HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\n", true);
  EXPECT_EQ(answer.field("content-length"), "4");
  EXPECT_EQ(client.ask(get("/next")).body, "/next");
}

TEST(Server, RefusesAndClosesAfterABadHead) {
  HandlerServer server(echo_target);
  HttpClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n" + get("/second"));
  const HttpAnswer answer = client.receive();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.field("connection"), "close");
  EXPECT_EQ(client.rest(), "");  // what followed is no request
}

TEST(Server, SaysContinueOnlyWhenTheHandlerWantsTheBody) {
  HandlerServer server(echo_body);
  HttpClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  client.send("abc");
  EXPECT_EQ(client.receive().body, "abc");

  HandlerServer other(echo_target);
  HttpClient refused(other.port());
  const HttpAnswer answer =
      refused.ask("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("connection"), "close");  // it may or may not send the body now: not to be guessed
}

TEST(Server, SwallowsASmallBodyThatNobodyRead) {
  HandlerServer server(echo_target);
  HttpClient client(server.port());
  EXPECT_EQ(client.ask("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").body, "/1");
  EXPECT_EQ(client.ask(get("/2")).body, "/2");
}

TEST(Server, GivesTheAnswerToAClientThatStillSends) {
  HandlerServer server(echo_target);
  HttpClient client(server.port());
  const std::string part(256 * 1024, 'x');
  client.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n" + part);
  const HttpAnswer answer = client.receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("connection"), "close");
}

TEST(Server, ReportsBrokenChunks) {
  HandlerServer server(echo_body);
  HttpClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n");
  EXPECT_EQ(client.receive().body, "error " + std::to_string(EPROTO));
  EXPECT_TRUE(client.closes());
}

TEST(Server, ReportsABodyThatWasCut) {
  std::atomic<int> error = 0;
  HandlerServer server([&](Downstream& client) -> Task<void> {
    std::string_view run;
    IoResult got;
    while ((got = client.try_read_body(run)).status != IoStatus::kError) {
      if (got.status == IoStatus::kWouldBlock) co_await wait_for(client.socket(), got.want, TimePoint::max());
    }
    error = got.error;
    client.mark_broken(true);
  });
  HttpClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  client.half_close();
  EXPECT_TRUE(client.closes());
  EXPECT_EQ(error, ECONNRESET);
}

TEST(Server, HeadTimeoutIsCountedFromTheFirstByte) {
  HandlerServer server(echo_target, {.head_timeout = milliseconds(100)});
  HttpClient idle(server.port());
  HttpClient slow(server.port());
  slow.send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(slow.receive().status, 408);
  EXPECT_TRUE(slow.closes());
  EXPECT_EQ(idle.ask(get("/still")).body, "/still");
}

TEST(Server, IdleConnectionsCloseAfterTheKeepAliveTime) {
  HandlerServer server(echo_target, {.keepalive_timeout = milliseconds(100)});
  HttpClient client(server.port());
  EXPECT_EQ(client.ask(get("/")).status, 200);
  EXPECT_TRUE(client.closes());
  EXPECT_TRUE(client.ended_cleanly());
}

TEST(Server, BodyTimeoutIsALongGap) {
  HandlerServer server(echo_body, {.body_timeout = milliseconds(100)});
  HttpClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.receive().status, 408);
}

TEST(Server, AClientThatNeverReadsIsCut) {
  std::atomic<bool> ended = false;
  const auto much = [&](Downstream& client) -> Task<void> {
    std::string body(64 << 20, 'x');
    co_await client.reply(200, "", std::move(body));
    ended = true;
  };
  HandlerServer server(much, {.send_timeout = milliseconds(200)});
  HttpClient client(server.port());
  client.send(get("/"));
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
  EXPECT_TRUE(eventually([&] { return server.on_worker([](Server& s) { return s.connections(); }) == 0; }));
}

// SEND_TIMEOUT ended a large admin answer to a reader that was slow, but never silent.  Stands for: the time is that of
// the reader's silence, not that of the answer.
TEST(Server, ASlowButSteadyReaderGetsTheWholeAnswer) {
  constexpr std::size_t kSize = 6 << 20;
  HandlerServer server(
      [](Downstream& client) -> Task<void> {
        std::string body(kSize, 'x');
        co_await client.reply(200, "", std::move(body));
      },
      {.send_timeout = milliseconds(400)});
  HttpClient client(server.port());
  const int small = 16 * 1024;
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  client.send(get("/"));
  ASSERT_EQ(client.receive_head().status, 200);
  // At this pace the kernel's buffer, which the server filled at once, lasts for several of its time-outs.
  const auto began = std::chrono::steady_clock::now();
  std::string part;
  std::size_t taken = 0;
  while (std::chrono::steady_clock::now() - began < milliseconds(1500)) {
    ASSERT_TRUE(client.take(16 * 1024, part)) << taken;
    taken += part.size();
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_TRUE(client.take(kSize - taken, part));
}

TEST(Server, BrokenAnswersEndWithAReset) {
  HandlerServer server([](Downstream& client) -> Task<void> {
    co_await write_all(client.stream(), "HTTP/1.1 200 OK\r\n\r\npart", client.send_deadline());
    client.mark_answered();
    client.mark_broken(true);
  });
  HttpClient client(server.port());
  const HttpAnswer answer = client.ask(get("/"));
  EXPECT_FALSE(answer.complete);
}

TEST(Server, DrainClosesIdleConnectionsAndFinishesBusyOnes) {
  std::atomic<bool> begun = false;
  std::atomic<bool> go = false;
  HandlerServer server([&](Downstream& client) -> Task<void> {
    if (client.head().target() == "/slow") {
      begun = true;
      while (!go) co_await sleep_until(client.worker(), client.worker().now() + milliseconds(5));
    }
    co_await client.reply(200, "", "done");
  });
  HttpClient idle(server.port());
  EXPECT_EQ(idle.ask(get("/")).status, 200);
  HttpClient busy(server.port());
  busy.send(get("/slow"));
  ASSERT_TRUE(eventually([&] { return begun.load(); }));
  server.on_worker([](Server& s) {
    s.stop_listening();
    s.begin_drain();
  });
  EXPECT_TRUE(idle.closes());
  go = true;
  EXPECT_EQ(busy.receive().body, "done");
  EXPECT_TRUE(busy.closes());
  EXPECT_TRUE(eventually([&] { return server.on_worker([](Server& s) { return s.connections(); }) == 0; }));
  EXPECT_THROW(HttpClient(server.port()), std::runtime_error);
}

TEST(Server, AbortEndsWhatTheDrainLeft) {
  std::atomic<bool> begun = false;
  std::atomic<bool> cancelled = false;
  HandlerServer server([&](Downstream& client) -> Task<void> {
    begun = true;
    const WaitEnd end = co_await wait_for(client.socket(), kRead, TimePoint::max());
    cancelled = end == WaitEnd::kCancelled;
    client.mark_broken(true);
  });
  HttpClient client(server.port());
  client.send(get("/"));
  ASSERT_TRUE(eventually([&] { return begun.load(); }));
  server.on_worker([](Server& s) {
    s.begin_drain();
    s.abort_connections();
  });
  EXPECT_TRUE(client.closes());
  EXPECT_TRUE(cancelled);
}

TEST(Server, TellsTheClientsAddress) {
  HandlerServer server([](Downstream& client) -> Task<void> {
    std::string ip(client.client_ip());
    co_await client.reply(200, "", std::move(ip));
  });
  EXPECT_EQ(HttpClient(server.port()).ask(get("/")).body, "127.0.0.1");
}

TEST(Listener, RefusesWhatIsNoAddress) {
  std::uint16_t port = 0;
  const auto opened = open_listener("localhost", port);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace akr::net
