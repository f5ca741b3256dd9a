// Behind a reverse proxy five wrong logins from anyone locked the administrator out, for all had the proxy's address.
// Stands for: who is told to be the client, by whom, and who is believed.
#include <string>

#include <gtest/gtest.h>

#include "net/server/server.hpp"
#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::HandlerServer;
using test::HttpClient;

Task<void> tell_client(Downstream& client) {
  std::string body = std::string(client.client_ip()) + (client.client_https() ? " https" : " http");
  co_await client.reply(200, "", std::move(body));
}

std::string get(const std::string& fields = "") { return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"; }

ServerLimits trusting(const std::string& networks, bool proxy_protocol = false) {
  ServerLimits limits{.new_connection_timeout = milliseconds(300), .proxy_protocol = proxy_protocol};
  limits.trusted = TrustedProxies(parse_networks(networks).value());
  return limits;
}

TEST(ServerClient, NobodyIsBelievedByDefault) {
  HandlerServer server(tell_client);
  const std::string fields =
      "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1;proto=https\r\nX-Forwarded-Proto: https\r\n";
  EXPECT_EQ(HttpClient(server.port()).ask(get(fields)).body, "127.0.0.1 http");
  HandlerServer other(tell_client, trusting("10.0.0.0/8"));
  EXPECT_EQ(HttpClient(other.port()).ask(get(fields)).body, "127.0.0.1 http");
}

TEST(ServerClient, ATrustedProxyNamesTheClientOfEachRequest) {
  HandlerServer server(tell_client, trusting("127.0.0.0/8"));
  HttpClient proxy(server.port());
  EXPECT_EQ(proxy.ask(get("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n")).body, "192.0.2.1 https");
  EXPECT_EQ(proxy.ask(get("X-Forwarded-For: 2001:db8::2\r\n")).body, "2001:db8::2 http");
  EXPECT_EQ(proxy.ask(get()).body, "127.0.0.1 http");
}

TEST(ServerClient, AProxyHeaderNamesTheClientOfTheConnection) {
  HandlerServer server(tell_client, trusting("127.0.0.0/8", true));
  HttpClient balancer(server.port());
  balancer.send("PROXY TCP4 192.0.2.7 10.0.0.1 5555 80\r\n" + get("X-Forwarded-For: 203.0.113.9\r\n"));
  EXPECT_EQ(balancer.receive().body, "192.0.2.7 http");  // who is not trusted is not believed
  EXPECT_EQ(balancer.ask(get()).body, "192.0.2.7 http");
}

TEST(ServerClient, AProxyHeaderMayComeInPiecesAndNameAnotherProxy) {
  HandlerServer server(tell_client, trusting("127.0.0.0/8, 10.0.0.0/8", true));
  HttpClient balancer(server.port());
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\x0a\x01\x02\x03\x0a\0\0\1\x15\xb3\0\x50\x04\0\1\0", 32);
  const std::string all = header + get("X-Forwarded-For: 192.0.2.8\r\n");
  for (std::size_t i = 0; i < header.size() + 4; ++i) balancer.send(all.substr(i, 1));
  balancer.send(all.substr(header.size() + 4));
  EXPECT_EQ(balancer.receive().body, "192.0.2.8 http");
}

TEST(ServerClient, AHealthCheckOfTheBalancerIsItsOwn) {
  HandlerServer server(tell_client, trusting("127.0.0.0/8", true));
  HttpClient balancer(server.port());
  balancer.send("PROXY UNKNOWN\r\n" + get());
  EXPECT_EQ(balancer.receive().body, "127.0.0.1 http");
}

TEST(ServerClient, ATrustedPeerWithoutItsHeaderIsClosed) {
  HandlerServer server(tell_client, trusting("127.0.0.0/8", true));
  HttpClient plain(server.port());
  plain.send(get());
  EXPECT_EQ(plain.rest(), "");
  HttpClient half(server.port());
  half.send("PROXY TCP4 1.");
  EXPECT_TRUE(half.closes());  // within its time
}

TEST(ServerClient, APeerThatIsNotTrustedSendsNoHeader) {
  HandlerServer server(tell_client, trusting("10.0.0.0/8", true));
  EXPECT_EQ(HttpClient(server.port()).ask(get()).body, "127.0.0.1 http");
  HttpClient liar(server.port());
  liar.send("PROXY TCP4 192.0.2.7 10.0.0.1 5555 80\r\n" + get());
  EXPECT_EQ(liar.receive().status, 400);
}

TEST(ServerClient, AHeadThatCannotBeReadNamesNobody) {
  HandlerServer server(tell_client, trusting("127.0.0.0/8"));
  HttpClient proxy(server.port());
  EXPECT_EQ(proxy.ask(get("X-Forwarded-For: 192.0.2.1\r\n")).body, "192.0.2.1 http");
  EXPECT_EQ(proxy.ask("GET / HTTP/1.1\r\n\r\n").status, 400);
}

}  // namespace
}  // namespace akr::net
