#include "net/downstream.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"

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
