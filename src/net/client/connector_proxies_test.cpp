// connector_proxies_test.cpp - connections by way of egress proxies of every kind.
#include "net/client/connector_fixture.hpp"

namespace akr::net {
namespace {

TEST_F(ConnectorTest, HttpProxyForPlainAndTlsUpstreams) {
  test::ConnectProxy proxy;
  use_proxy(Kind::kHttp, proxy.port());
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
  EXPECT_EQ(ask({.tls = true, .host = "a.test", .port = secure_.port()}), "tls pong to a.test");
  const std::string where = "a.test:" + std::to_string(plain_.port());
  EXPECT_EQ(proxy.heads().at(0), "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n\r\n");
  EXPECT_EQ(dns_.queries(), 0);  // the proxy resolves
}

TEST_F(ConnectorTest, HttpProxyWithCredentials) {
  test::ConnectProxy proxy;
  use_proxy(Kind::kHttp, proxy.port(), "user", "pa:ss");
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
  EXPECT_TRUE(has(proxy.heads().at(0), "\r\nProxy-Authorization: Basic dXNlcjpwYTpzcw==\r\n"));
}

TEST_F(ConnectorTest, HostThatWouldChangeTheProxyRequestIsRefused) {
  test::ConnectProxy proxy;
  use_proxy(Kind::kHttp, proxy.port());
  for (const char* host : {"a.test:1 HTTP/1.1\r\nX: ", "a.test\r\n", "a b", "u@a.test", ""}) {
    EXPECT_TRUE(ask({.host = host, .port = 80}).starts_with("upstream_unresolved: ")) << host;
  }
  EXPECT_TRUE(proxy.heads().empty());
}

TEST_F(ConnectorTest, HttpProxyThatRefuses) {
  struct Case {
    const char* reply;
    const char* message;
  };
  const Case cases[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "refused our credentials (407)"},
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope", "refused the tunnel (403)"},
      {"HTTP/1.0 502 Bad Gateway\r\n\r\n", "refused the tunnel (502)"},
      {"SSH-2.0-x\r\n\r\n", "did not answer CONNECT with HTTP"},
      {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nforged", "sent data before the tunnel was used"},
      {"HTTP/1.1 2", "closed the connection"},
  };
  for (const Case& one : cases) {
    test::ConnectProxy proxy(one.reply);
    use_proxy(Kind::kHttp, proxy.port(), "user", "secret");
    const std::string result = ask({.tls = true, .host = "a.test", .port = secure_.port()});
    EXPECT_TRUE(result.starts_with("egress_proxy_failed: ")) << result;
    EXPECT_TRUE(has(result, one.message)) << result;
    EXPECT_FALSE(has(result, "secret"));
  }
}

TEST_F(ConnectorTest, DeadProxyIsNeverPassedBy) {
  std::uint16_t closed = 0;
  ::close(test::listen_on_loopback(1, closed));
  dns_.set_ipv4("a.test", {.addresses = {"127.0.0.1"}});
  for (const Kind kind : {Kind::kHttp, Kind::kHttps, Kind::kSocks5, Kind::kSocks5h}) {
    use_proxy(kind, closed);
    const std::string result = ask({.host = "a.test", .port = plain_.port()});
    EXPECT_TRUE(result.starts_with("egress_proxy_failed: ")) << result;
  }
  proxy_.host = "nowhere.test";
  EXPECT_TRUE(ask({.host = "a.test", .port = plain_.port()}).starts_with("egress_proxy_failed: "));
  EXPECT_EQ(plain_.connections(), 0);
}

TEST_F(ConnectorTest, SilentProxyEndsWithTheDeadline) {
  TcpServer silent([](int fd) { test::wait_for_close(fd); });
  for (const Kind kind : {Kind::kHttp, Kind::kHttps, Kind::kSocks5h}) {
    use_proxy(kind, silent.port());
    const std::string result = ask({.host = "a.test", .port = plain_.port()}, milliseconds(50));
    EXPECT_TRUE(result.starts_with("upstream_connect_timeout: egress proxy ")) << result;
  }
}

TEST_F(ConnectorTest, HttpsProxyIsTlsInTls) {
  TlsAcceptor acceptor(authority_.issue({.names = "IP:127.0.0.1"}));
  test::ConnectProxy proxy("HTTP/1.1 200 OK\r\n\r\n", &acceptor);
  use_proxy(Kind::kHttps, proxy.port(), "user", "pass");
  EXPECT_EQ(ask({.tls = true, .host = "a.test", .port = secure_.port()}), "tls pong to a.test");
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
  EXPECT_TRUE(has(proxy.heads().at(0), "Proxy-Authorization: Basic "));
}

TEST_F(ConnectorTest, HttpsProxyMustBeTheOneItSays) {
  TlsAcceptor acceptor(authority_.issue({.names = "DNS:other.test"}));
  test::ConnectProxy proxy("HTTP/1.1 200 OK\r\n\r\n", &acceptor);
  use_proxy(Kind::kHttps, proxy.port(), "user", "pass");
  const std::string result = ask({.tls = true, .host = "a.test", .port = secure_.port()});
  EXPECT_TRUE(result.starts_with("egress_proxy_failed: ")) << result;
  EXPECT_TRUE(proxy.heads().empty());  // no credential was sent
}

TEST_F(ConnectorTest, UpstreamBehindAProxyIsVerifiedAsWell) {
  test::ConnectProxy proxy;
  use_proxy(Kind::kHttp, proxy.port());
  const std::string result = ask({.tls = true, .host = "b.test", .port = secure_.port()});
  EXPECT_TRUE(result.starts_with("upstream_tls_failed: ")) << result;
}

TEST_F(ConnectorTest, Socks5ResolvesHereAndSocks5hThere) {
  dns_.set_ipv4("a.test", {.addresses = {"192.0.2.1"}});
  dns_.set_ipv6("a.test", {.addresses = {"2001:db8::1"}});
  test::SocksProxy proxy;
  use_proxy(Kind::kSocks5, proxy.port());
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
  const int queries = dns_.queries();
  EXPECT_GT(queries, 0);
  use_proxy(Kind::kSocks5h, proxy.port());
  EXPECT_EQ(ask({.tls = true, .host = "a.test", .port = secure_.port()}), "tls pong to a.test");
  EXPECT_EQ(ask({.host = "192.0.2.7", .port = plain_.port()}), "plain pong");
  EXPECT_EQ(dns_.queries(), queries);
  EXPECT_EQ(proxy.requests(), (std::vector<std::string>{"4 2001:db8::1", "3 a.test", "1 192.0.2.7"}));
}

TEST_F(ConnectorTest, Socks5TriesTheNextAddress) {
  dns_.set_ipv4("a.test", {.addresses = {"192.0.2.1"}});
  dns_.set_ipv6("a.test", {.addresses = {"2001:db8::1"}});
  test::SocksProxy proxy({.refuse_first = 1});
  use_proxy(Kind::kSocks5, proxy.port());
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
  EXPECT_EQ(proxy.requests(), (std::vector<std::string>{"4 2001:db8::1", "1 192.0.2.1"}));
}

TEST_F(ConnectorTest, SocksAuthentication) {
  test::SocksProxy proxy({.login = "user:pass"});
  use_proxy(Kind::kSocks5h, proxy.port(), "user", "pass");
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
  use_proxy(Kind::kSocks5h, proxy.port(), "user", "wrong");
  EXPECT_TRUE(has(ask({.host = "a.test", .port = plain_.port()}), "egress_proxy_failed: "));
  use_proxy(Kind::kSocks5h, proxy.port());
  const std::string none = ask({.host = "a.test", .port = plain_.port()});
  EXPECT_TRUE(has(none, "egress_proxy_failed: ")) << none;
  EXPECT_TRUE(has(none, "authentication")) << none;
  test::SocksProxy open;
  use_proxy(Kind::kSocks5h, open.port(), "user", "pass");  // offers both, the proxy takes none
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
}

TEST_F(ConnectorTest, SocksRefusals) {
  for (const char code : {'\x01', '\x02', '\x05', '\x08', '\x77'}) {
    test::SocksProxy proxy({.reply = code});
    use_proxy(Kind::kSocks5h, proxy.port());
    const std::string result = ask({.host = "a.test", .port = plain_.port()});
    EXPECT_TRUE(result.starts_with("egress_proxy_failed: ")) << result;
  }
  TcpServer not_socks([](int fd) {
    test::receive_exactly(fd, 3);
    test::send_all(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  use_proxy(Kind::kSocks5h, not_socks.port());
  EXPECT_TRUE(has(ask({.host = "a.test", .port = 1}), "does not speak SOCKS5"));
}

// A proxy's name that resolves to a metadata or private address was connected to: the policy was asked about upstreams
// only.  Stands for connections that go past the one policy.
TEST_F(ConnectorTest, PolicyIsAskedAboutTheProxyItself) {
  policy_ = refuse_loopback;
  dns_.set_ipv4("proxy.test", {.addresses = {"127.0.0.1"}});
  dns_.set_ipv4("a.test", {.addresses = {"192.0.2.1"}});
  TcpServer proxy([](int) {});
  for (const Kind kind : {Kind::kHttp, Kind::kHttps, Kind::kSocks5, Kind::kSocks5h}) {
    use_proxy(kind, proxy.port());
    for (const char* host : {"proxy.test", "127.0.0.1", "::1", "localhost"}) {
      proxy_.host = host;
      const std::string result = ask({.tls = true, .host = "a.test", .port = 443});
      EXPECT_TRUE(result.starts_with("upstream_address_refused: egress proxy ")) << host << " " << result;
      EXPECT_TRUE(has(result, "the address policy forbids")) << result;
    }
  }
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(ConnectorTest, AnAllowedAddressOfAProxyIsUsedBesideAForbiddenOne) {
  policy_ = [](std::span<const std::uint8_t> address) { return address[0] != 127 || address[3] == 1; };
  dns_.set_ipv4("proxy.test", {.addresses = {"127.0.0.2", "127.0.0.1"}});
  test::ConnectProxy proxy;
  use_proxy(Kind::kHttp, proxy.port());
  proxy_.host = "proxy.test";
  EXPECT_EQ(ask({.host = "a.test", .port = plain_.port()}), "plain pong");
}

TEST_F(ConnectorTest, PolicyHoldsForLiteralsBehindAnyProxy) {
  policy_ = refuse_loopback;
  test::ConnectProxy http;
  test::SocksProxy socks;
  dns_.set_ipv4("rebound.test", {.addresses = {"127.0.0.1"}});
  for (const Kind kind : {Kind::kHttp, Kind::kHttps, Kind::kSocks5, Kind::kSocks5h}) {
    use_proxy(kind, kind == Kind::kHttp || kind == Kind::kHttps ? http.port() : socks.port());
    for (const char* host : {"127.0.0.1", "::1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"}) {
      const std::string result = ask({.host = host, .port = plain_.port()});
      EXPECT_TRUE(result.starts_with("upstream_address_refused: ")) << host << " " << result;
    }
  }
  use_proxy(Kind::kSocks5, socks.port());  // resolves here, so names are checked as well
  EXPECT_TRUE(ask({.host = "rebound.test", .port = plain_.port()}).starts_with("upstream_address_refused: "));
  EXPECT_TRUE(http.heads().empty());
  EXPECT_TRUE(socks.requests().empty());
}

}  // namespace
}  // namespace akr::net
