#include "net/server/downstream.hpp"

#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/run_on_worker.hpp"

namespace akr::net {
namespace {

using test::HandlerServer;
using test::HttpClient;

std::string post(const std::string& body, const std::string& fields = "") {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

TEST(Downstream, ABodyThatCameWithItsHeadIsTakenAsAView) {
  HandlerServer server([](Downstream& client) -> Task<void> {
    std::string_view body;
    EXPECT_TRUE(client.take_buffered_body(body));
    EXPECT_TRUE(client.body_finished());
    EXPECT_EQ(client.body_received(), body.size());
    std::string copy(body);
    co_await client.reply(200, "", std::move(copy));
  });
  HttpClient client(server.port());
  EXPECT_EQ(client.ask(post("hello")).body, "hello");
  EXPECT_EQ(client.ask(post("")).body, "");
}

// The Server was a friend that read and wrote the members of a connection.  The kind: a class that can only be used by
// who knows its insides.
TEST(Downstream, ServesAConnectionThroughItsInterfaceAlone) {
  test::WorkerThread loop;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  constexpr std::string_view kTwo =
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(::write(ends[1], kTwo.data(), kTwo.size()), static_cast<ssize_t>(kTwo.size()));
  const auto body = [&](Worker& worker) -> Task<std::vector<std::string>> {
    const ServerLimits limits;
    Downstream client(make_tcp_stream(worker, ends[0]), limits, *parse_ip("192.0.2.1"));
    std::vector<std::string> said;
    said.emplace_back(client.idle() ? "idle" : "busy");
    for (;;) {
      const Downstream::Next next = co_await client.next_request();
      if (next != Downstream::Next::kRequest) break;
      said.emplace_back(client.head().target());
      co_await client.reply(200, "", "x");
      if (!client.finish_request() || !client.keep_alive()) break;
      said.emplace_back(client.become_idle() ? "idle" : "more");
    }
    said.emplace_back(client.must_linger() ? "linger" : "close");
    co_return said;
  };
  EXPECT_EQ(loop.run(body), (std::vector<std::string>{"idle", "/1", "more", "/2", "close"}));
  ::close(ends[1]);
}

TEST(Downstream, ChunkedOrUnfinishedBodiesAreNotTaken) {
  HandlerServer server([](Downstream& client) -> Task<void> {
    std::string_view body;
    std::string taken = client.take_buffered_body(body) ? "taken" : "left";
    client.forbid_keep_alive();
    co_await client.reply(200, "", std::move(taken));
  });
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(HttpClient(server.port()).ask(head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").body, "left");
  EXPECT_EQ(HttpClient(server.port()).ask(head + "Content-Length: 5\r\n\r\nabc").body, "left");
}

TEST(Downstream, TheHeadMayGoBeforeALongAnswer) {
  HandlerServer server([](Downstream& client) -> Task<void> {
    client.release_head();
    co_await client.reply(200, "", "done");
  });
  HttpClient client(server.port());
  EXPECT_EQ(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").body, "done");
  // Pipelined bytes are kept with it.
  client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.receive().body, "done");
  EXPECT_EQ(client.receive().body, "done");
}

TEST(Downstream, ALongBodyIsReadBehindALongHead) {
  HandlerServer server([](Downstream& client) -> Task<void> {
    std::size_t size = 0;
    std::string_view run;
    for (;;) {
      const IoResult got = client.try_read_body(run);
      if (got.status == IoStatus::kOk) size += run.size();
      if (got.status == IoStatus::kEof || got.status == IoStatus::kError) break;
      if (got.status == IoStatus::kWouldBlock) co_await wait_for(client.socket(), got.want, client.body_deadline());
    }
    // The head is still whole, wherever its bytes went.
    std::string told = std::to_string(size) + ' ' + std::to_string(client.head().find("x-long").size());
    co_await client.reply(200, "", std::move(told));
  });
  HttpClient client(server.port());
  const std::string field = "X-Long: " + std::string(60'000, 'l') + "\r\n";
  EXPECT_EQ(client.ask(post(std::string(1'000'000, 'b'), field)).body, "1000000 60000");
}

std::string chunked(const std::string& chunks) {
  return "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
}

// Reads the body to its end, and answers with what `told` says, or with why not.
Task<void> swallow(Downstream& client, std::function<std::string()> told = {}) {
  std::string_view run;
  std::optional<Error> failed;
  for (IoResult got; got.status != IoStatus::kEof && !failed;) {
    got = client.try_read_body(run);
    if (got.status == IoStatus::kError) failed = client.body_error(got.error);
    if (got.status != IoStatus::kWouldBlock) continue;
    const WaitEnd end = co_await wait_for(client.socket(), got.want, client.body_deadline());
    if (end != WaitEnd::kReady) failed = client.body_error(ETIMEDOUT);
  }
  client.forbid_keep_alive();
  std::string text = failed ? failed->message : told ? told() : std::to_string(client.body_counted());
  co_await client.reply(failed ? 400 : 200, "", std::move(text));
}

// A body of 1-byte chunks, thousands in one buffer, was decoded to its end in one go: one client let the others wait
// for 25 to 32 s.  (Kind: loops that do not return to the event loop.)
TEST(Downstream, TinyChunksAreTakenInPortionsPerTurnOfTheLoop) {
  std::uint64_t turns = 0;
  HandlerServer server([&turns](Downstream& client) -> Task<void> {
    const std::uint64_t first = client.worker().turn();
    const auto told = [&]() -> std::string {
      turns = client.worker().turn() - first;
      return std::to_string(client.body_received());
    };
    co_await swallow(client, told);
  });
  std::string chunks;
  for (int i = 0; i < 60'000; ++i) chunks += "1\r\nx\r\n";
  EXPECT_EQ(HttpClient(server.port()).ask(chunked(chunks + "0\r\n\r\n")).body, "60000");
  server.stop();
  EXPECT_GE(turns, 7U);  // 4,096 chunks are a budget, and a turn has two at most
}

// 32 MiB of body in 1-byte chunks with extensions of 250 bytes were 8 GB of wire, of which the limits counted the data.
// (Kind: limits that count the wrong bytes.)
TEST(Downstream, FramingOutOfProportionIsRefusedByName) {
  HandlerServer server([](Downstream& client) { return swallow(client); });
  const std::string extended = "1;" + std::string(249, 'e') + "\r\nx\r\n";
  std::string few;
  for (int i = 0; i < 200; ++i) few += extended;
  EXPECT_EQ(HttpClient(server.port()).ask(chunked(few + "0\r\n\r\n")).status, 200);
  std::string many;
  for (int i = 0; i < 300; ++i) many += extended;
  const auto refused = HttpClient(server.port()).ask(chunked(many + "0\r\n\r\n"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("MAX_CHUNK_FRAMING"), std::string::npos) << refused.body;
}

TEST(Downstream, FramingThatEveryBodyMayHaveIsNotCounted) {
  HandlerServer server([](Downstream& client) { return swallow(client); });
  std::string chunks;
  for (int i = 0; i < 20'000; ++i) chunks += "1\r\nx\r\n";
  // 20,000 bytes and 100,005 of framing, of which 65,536 are free.
  EXPECT_EQ(HttpClient(server.port()).ask(chunked(chunks + "0\r\n\r\n")).body, "54469");
}

// A body that came byte by byte, just often enough, outlived BODY_TIMEOUT thirty times.  (Kind: timers that any byte
// sets back.)
TEST(Downstream, ATrickledBodyEndsBelowTheMinimumRate) {
  ServerLimits limits;
  limits.body_timeout = std::chrono::milliseconds(200);
  HandlerServer server([](Downstream& client) { return swallow(client); }, limits);
  HttpClient client(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  const auto begun = std::chrono::steady_clock::now();
  std::jthread trickle([&client](const std::stop_token& stop) {
    for (int i = 0; i < 200 && !stop.stop_requested(); ++i) {
      client.send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  const auto answer = client.receive();
  trickle.request_stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));  // 0.6 s; 10 s if nobody minds
  EXPECT_NE(answer.body.find("BODY_MIN_RATE"), std::string::npos) << answer.body;
}

TEST(Downstream, AWholeBodyHasATotal) {
  ServerLimits limits;
  limits.body_min_rate = 0;
  limits.body_total = std::chrono::milliseconds(100);
  HandlerServer server([](Downstream& client) { return swallow(client); }, limits);
  HttpClient client(server.port());
  const auto answer = client.ask("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx");
  EXPECT_NE(answer.body.find("BODY_TOTAL_TIMEOUT"), std::string::npos) << answer.body;
}

TEST(Downstream, RepliesOnce) {
  HandlerServer server([](Downstream& client) -> Task<void> {
    co_await client.reply(404, "X-A: 1\r\n", "first");
    co_await client.reply(200, "", "second");
  });
  const auto answer = HttpClient(server.port()).ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.field("x-a"), "1");
  EXPECT_EQ(answer.body, "first");
}

}  // namespace
}  // namespace akr::net
