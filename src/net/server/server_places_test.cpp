// As many silent sockets as MAX_CONNECTIONS locked everybody out for 75 s, the health check too.  Stands for: whoever
// holds a place without using it makes room, and operators always find one.
#include <atomic>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/server/server.hpp"
#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::HandlerServer;
using test::HttpAnswer;
using test::HttpClient;

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

Task<void> echo_target(Downstream& client) {
  std::string body(client.head().target());
  co_await client.reply(200, "", std::move(body));
}

// Holds every request but the operators' until it is let go.
class Holder {
 public:
  HandlerServer::Handler handler() {
    return [this](Downstream& client) -> Task<void> {
      const bool hold = client.head().target() != "/healthz";
      if (hold) ++held_;
      while (hold && !go_) co_await sleep_until(client.worker(), client.worker().now() + milliseconds(5));
      co_await client.reply(200, "", "done");
    };
  }
  bool holds(int count) {
    return eventually([&] { return held_ == count; });
  }
  void let_go() { go_ = true; }

 private:
  std::atomic<int> held_ = 0;
  std::atomic<bool> go_ = false;
};

ServerLimits with(const PlaceLimits& places) { return {.places = places}; }

std::vector<HttpClient> silent_clients(const HandlerServer& server, int count) {
  std::vector<HttpClient> clients;
  for (int i = 0; i < count; ++i) clients.emplace_back(server.port());
  return clients;
}

TEST(ServerPlaces, SilentConnectionsMakeRoomTheOldestFirst) {
  HandlerServer server(echo_target, with({.ordinary = 4, .reserved = 0, .grace = milliseconds(0)}));
  std::vector<HttpClient> silent = silent_clients(server, 4);
  HttpClient client(server.port());
  EXPECT_EQ(client.ask(get("/x")).body, "/x");
  EXPECT_TRUE(silent[0].closes());
  EXPECT_FALSE(silent[1].closes(milliseconds(20)));
  EXPECT_EQ(server.on_worker([](Server& s) { return s.evicted(); }), 1U);
}

TEST(ServerPlaces, AConnectionThatNeverAskedGoesBeforeOneThatWasServed) {
  HandlerServer server(echo_target, with({.ordinary = 2, .reserved = 0, .grace = milliseconds(0)}));
  HttpClient served(server.port());
  EXPECT_EQ(served.ask(get("/1")).status, 200);
  HttpClient silent(server.port());
  HttpClient half(server.port());  // takes the place of `silent`
  half.send("GET / HT");
  EXPECT_TRUE(silent.closes());
  HttpClient client(server.port());  // and this one that of `half`: a part of a head is no request
  EXPECT_EQ(client.ask(get("/2")).status, 200);
  EXPECT_TRUE(half.closes());
  EXPECT_EQ(served.ask(get("/3")).body, "/3");
}

TEST(ServerPlaces, IdleConnectionsMakeRoomTheLongestIdleFirst) {
  HandlerServer server(echo_target, with({.ordinary = 2, .reserved = 0, .grace = milliseconds(0)}));
  HttpClient one(server.port());
  HttpClient two(server.port());
  EXPECT_EQ(one.ask(get("/")).status, 200);
  EXPECT_EQ(two.ask(get("/")).status, 200);
  EXPECT_EQ(one.ask(get("/")).status, 200);  // so `two` has been idle longer
  HttpClient three(server.port());
  EXPECT_EQ(three.ask(get("/3")).body, "/3");
  EXPECT_TRUE(two.closes());
  EXPECT_TRUE(two.ended_cleanly());
  EXPECT_EQ(one.ask(get("/1")).body, "/1");
}

TEST(ServerPlaces, BusyConnectionsStayAndNewcomersAreTold) {
  Holder holder;
  HandlerServer server(holder.handler(), with({.ordinary = 2, .reserved = 2}));
  HttpClient one(server.port());
  HttpClient two(server.port());
  one.send(get("/"));
  two.send(get("/"));
  ASSERT_TRUE(holder.holds(2));
  HttpClient three(server.port());
  const HttpAnswer refused = three.ask(get("/x"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, "full");
  EXPECT_EQ(refused.field("connection"), "close");
  EXPECT_TRUE(three.closes());
  holder.let_go();
  EXPECT_EQ(one.receive().body, "done");
  EXPECT_EQ(two.receive().body, "done");
  EXPECT_EQ(HttpClient(server.port()).ask(get("/x")).status, 200);
}

TEST(ServerPlaces, TheHealthCheckIsAnsweredWhateverHappens) {
  Holder holder;
  HandlerServer server(holder.handler(), with({.ordinary = 2, .reserved = 2}));
  HttpClient one(server.port());
  HttpClient two(server.port());
  one.send(get("/"));
  two.send(get("/"));
  ASSERT_TRUE(holder.holds(2));
  const std::vector<HttpClient> silent = silent_clients(server, 20);  // these fight for the reserve
  EXPECT_EQ(HttpClient(server.port()).ask(get("/healthz")).body, "done");
  holder.let_go();
}

TEST(ServerPlaces, TheReserveIsNotForYoungSilentConnectionsAlone) {
  // All ordinary places are held by connections that came just now: they may be about to ask.
  HandlerServer server(echo_target, with({.ordinary = 2, .reserved = 1, .grace = milliseconds(60'000)}));
  std::vector<HttpClient> young = silent_clients(server, 2);
  EXPECT_EQ(HttpClient(server.port()).ask(get("/x")).status, 503);
  EXPECT_EQ(HttpClient(server.port()).ask(get("/healthz")).status, 200);
  EXPECT_EQ(young[0].ask(get("/a")).body, "/a");
}

TEST(ServerPlaces, AFloodOfSilentConnectionsDoesNotPushOutServedOnes) {
  HandlerServer server(echo_target, with({.ordinary = 20, .reserved = 1, .grace = milliseconds(60'000)}));
  HttpClient served(server.port());
  EXPECT_EQ(served.ask(get("/1")).status, 200);
  const std::vector<HttpClient> flood = silent_clients(server, 60);
  EXPECT_EQ(HttpClient(server.port()).ask(get("/2")).body, "/2");
  EXPECT_EQ(served.ask(get("/3")).body, "/3");
}

TEST(ServerPlaces, WithoutAnyPlaceTheAnswerComesAtOnce) {
  Holder holder;
  HandlerServer server(holder.handler(), with({.ordinary = 1, .reserved = 0}));
  HttpClient one(server.port());
  one.send(get("/"));
  ASSERT_TRUE(holder.holds(1));
  HttpClient two(server.port());
  const HttpAnswer answer = two.receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("retry-after"), "1");
  EXPECT_TRUE(answer.complete);
  EXPECT_NE(answer.body.find("MAX_CONNECTIONS"), std::string::npos);
  holder.let_go();
}

TEST(ServerPlaces, OneAddressHasAShare) {
  HandlerServer server(echo_target, with({.ordinary = 10, .reserved = 2, .per_address = 2}));
  HttpClient one(server.port());
  HttpClient two(server.port());
  EXPECT_EQ(one.ask(get("/1")).status, 200);
  EXPECT_EQ(two.ask(get("/2")).status, 200);
  EXPECT_EQ(HttpClient(server.port()).ask(get("/x")).body, "share");
  EXPECT_EQ(HttpClient(server.port()).ask(get("/healthz")).status, 200);
  one.close();
  EXPECT_TRUE(eventually([&] { return HttpClient(server.port()).ask(get("/3")).status == 200; }));
}

TEST(ServerPlaces, BehindATrustedProxyTheShareIsOfEachClientsRequests) {
  Holder holder;
  ServerLimits limits = with({.ordinary = 10, .reserved = 2, .per_address = 1});
  limits.trusted = TrustedProxies(parse_networks("127.0.0.0/8").value());
  HandlerServer server(holder.handler(), limits);
  const auto from = [](const std::string& client) { return get("/", "X-Forwarded-For: " + client + "\r\n"); };
  HttpClient one(server.port());
  HttpClient two(server.port());
  HttpClient three(server.port());
  one.send(from("192.0.2.1"));
  ASSERT_TRUE(holder.holds(1));
  const HttpAnswer refused = two.ask(from("192.0.2.1"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, "share");
  EXPECT_EQ(refused.field("connection"), "");  // the connection is the proxy's, and serves others
  two.send(from("192.0.2.2"));
  ASSERT_TRUE(holder.holds(2));
  holder.let_go();
  EXPECT_EQ(one.receive().status, 200);
  EXPECT_EQ(two.receive().status, 200);
  EXPECT_EQ(two.ask(from("192.0.2.1")).status, 200);
}

TEST(ServerPlaces, ANewConnectionHasAShortTimeToSendItsFirstByte) {
  HandlerServer server(echo_target, {.new_connection_timeout = milliseconds(100)});
  HttpClient served(server.port());
  EXPECT_EQ(served.ask(get("/1")).status, 200);
  HttpClient silent(server.port());
  EXPECT_TRUE(silent.closes());
  EXPECT_EQ(served.ask(get("/2")).body, "/2");  // the time for idle ones is another one
}

TEST(ServerPlaces, ALingeringConnectionMakesRoom) {
  HandlerServer server(echo_target, with({.ordinary = 1, .reserved = 0, .grace = milliseconds(0)}));
  HttpClient posting(server.port());
  posting.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\nx");
  EXPECT_EQ(posting.receive().status, 200);  // the rest of the body is still awaited
  EXPECT_EQ(HttpClient(server.port()).ask(get("/2")).body, "/2");
}

}  // namespace
}  // namespace akr::net
