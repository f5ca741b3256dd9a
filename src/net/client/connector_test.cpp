// connector_test.cpp - connections to upstreams: names, addresses, the policy about them, and their ends.
#include "net/client/connector_fixture.hpp"

namespace akr::net {
namespace {

TEST_F(ConnectorTest, PlainAndTlsByNameAndByAddress) {
  dns_.set_ipv4("a.test", {.addresses = {"127.0.0.1"}});
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
  EXPECT_EQ(ask({.host = "127.0.0.1", .port = plain_.port()}), "plain pong");
  EXPECT_EQ(ask({.tls = true, .host = "a.test", .port = secure_.port()}), "tls pong to a.test");
  EXPECT_EQ(ask({.tls = true, .host = "127.0.0.1", .port = secure_.port()}), "tls pong to ");
}

TEST_F(ConnectorTest, FallsBackToIpv4WhenIpv6IsDead) {
  dns_.set_ipv6("a.test", {.addresses = {"::1"}});
  dns_.set_ipv4("a.test", {.addresses = {"127.0.0.1"}});
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
}

TEST_F(ConnectorTest, FailuresHaveTheirOwnCodes) {
  std::uint16_t closed = 0;
  ::close(test::listen_on_loopback(1, closed));
  const test::SilentPort silent;
  EXPECT_TRUE(ask({.host = "nowhere.test", .port = 80}).starts_with("upstream_unresolved: "));
  EXPECT_TRUE(ask({.host = "127.0.0.1", .port = closed}).starts_with("upstream_connect_failed: "));
  EXPECT_TRUE(
      ask({.host = "127.0.0.1", .port = silent.port()}, milliseconds(50)).starts_with("upstream_connect_timeout: "));
  EXPECT_TRUE(ask({.tls = true, .host = "127.0.0.1", .port = plain_.port()}).starts_with("upstream_tls_failed: "));
}

TEST_F(ConnectorTest, PolicyIsAskedAboutEveryAddress) {
  policy_ = refuse_loopback;
  dns_.set_ipv4("rebound.test", {.addresses = {"127.0.0.1"}});
  dns_.set_ipv6("rebound.test", {.addresses = {"::1"}});
  EXPECT_EQ(ask({.host = "127.0.0.1", .port = plain_.port()}),
            "upstream_address_refused: the address policy forbids 127.0.0.1");
  const std::string name = ask({.host = "rebound.test", .port = plain_.port()});
  EXPECT_EQ(name, "upstream_address_refused: the address policy forbids ::1, which is 'rebound.test'");
  EXPECT_EQ(ask({.host = "::1", .port = plain_.port()}), "upstream_address_refused: the address policy forbids ::1");
  EXPECT_EQ(plain_.connections(), 0);
}

TEST_F(ConnectorTest, AllowedAddressIsUsedBesideARefusedOne) {
  policy_ = [](std::span<const std::uint8_t> address) { return address[3] == 1; };
  dns_.set_ipv4("mixed.test", {.addresses = {"127.0.0.2", "127.0.0.1"}});
  EXPECT_EQ(ask({.host = "mixed.test", .port = plain_.port()}), "plain pong");
}

TEST_F(ConnectorTest, StopEndsAConnect) {
  const test::SilentPort silent;
  std::string result;
  const auto start = [&](Worker& worker) -> Task<void> {
    const auto connecting = [](Worker& w, ConnectorOptions chosen, std::uint16_t port, std::string& out) -> Task<void> {
      Connector connector(w, std::move(chosen));
      ConnectTarget target;
      target.host = "127.0.0.1";
      target.port = port;
      const Connected stream = co_await connector.connect(target, TimePoint::max());
      out = stream ? "connected" : to_string(stream.error().code);
    };
    worker.spawn(connecting(worker, options(), silent.port(), result));
    co_return;
  };
  loop_.run(start);
  loop_.stop();
  EXPECT_EQ(result, "shutting_down");
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// Good ones, refused ones, failed handshakes: all give their descriptors back.
TEST_F(ConnectorTest, AThousandConnectsLeaveNoDescriptorBehind) {
  std::uint16_t closed = 0;
  ::close(test::listen_on_loopback(1, closed));
  TcpServer sink([](int) {});
  dns_.set_ipv4("a.test", {.addresses = {"127.0.0.1"}});
  dns_.set_ipv6("a.test", {.addresses = {"::1"}});
  const auto body = [&](Worker& worker) -> Task<int> {
    Connector connector(worker, options());
    int before = 0;
    for (int i = 0; i < 1000; ++i) {
      if (i == 20) before = open_descriptors();  // c-ares and OpenSSL have theirs by now
      ConnectTarget target;
      target.tls = i % 4 == 3;
      target.host = i % 2 == 0 ? "a.test" : "127.0.0.1";
      target.port = i % 4 == 1 ? closed : sink.port();
      const Connected stream = co_await connector.connect(target, in(kLong));
      EXPECT_EQ(stream.has_value(), i % 2 == 0) << i;
    }
    // The server closes its ends on threads of its own.
    for (int i = 0; i < 200 && open_descriptors() > before; ++i) co_await sleep_until(worker, in(milliseconds(5)));
    co_return open_descriptors() - before;
  };
  EXPECT_LE(loop_.run(body), 0);
}

}  // namespace
}  // namespace akr::net
