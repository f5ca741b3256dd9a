#include "net/client/connector.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "net/loop/socket_address.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/egress_proxies.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/silent_port.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/tls_peer.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::TcpServer;
using test::TlsAcceptor;
using test::TlsPeer;
using test::WorkerThread;
using Connected = Result<std::unique_ptr<Stream>>;
using Kind = EgressProxy::Kind;

TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }
const milliseconds kLong{10'000};

bool allow_all(std::span<const std::uint8_t>) { return true; }
bool refuse_loopback(std::span<const std::uint8_t> address) { return address[0] != 127 && address.size() == 4; }

struct Wanted {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
};

class ConnectorTest : public testing::Test {
 protected:
  ConnectorTest() {
    std::signal(SIGPIPE, SIG_IGN);                            // the peers of these tests write with write()
    ::setenv("SSL_CERT_FILE", authority_.file().c_str(), 1);  // instead of the system's hundred and more
  }

  ConnectorOptions options() const {
    ConnectorOptions result;
    result.address_allowed = policy_;
    result.ca_file = authority_.file();
    result.resolver.servers.list = dns_.address();
    result.resolver.servers.first_wait = milliseconds(100);
    result.resolver.servers.rounds = 1;
    return result;
  }

  // Connects, sends "ping", and gives what comes back to the end; or "code: message".
  std::string ask(const Wanted& wanted, milliseconds limit = kLong) {
    const auto body = [&](Worker& worker) -> Task<std::string> {
      Connector connector(worker, options());
      ConnectTarget target;
      target.tls = wanted.tls;
      target.host = wanted.host;
      target.port = wanted.port;
      target.proxy = &proxy_;
      Connected stream = co_await connector.connect(target, in(limit));
      if (!stream) co_return std::string(to_string(stream.error().code)) + ": " + stream.error().message;
      const IoResult sent = co_await write_all(**stream, "ping", in(kLong));
      EXPECT_EQ(sent.status, IoStatus::kOk);
      std::string answer;
      for (;;) {
        std::array<char, 64> chunk = {};
        const IoResult got = co_await read_some(**stream, chunk.data(), chunk.size(), in(kLong));
        if (got.status != IoStatus::kOk) co_return answer;
        answer.append(chunk.data(), got.bytes);
      }
    };
    return loop_.run(body);
  }

  void use_proxy(Kind kind, std::uint16_t port, const std::string& user = "", const std::string& password = "") {
    proxy_.kind = kind;
    proxy_.host = "127.0.0.1";
    proxy_.port = port;
    proxy_.user = user;
    proxy_.password = Secret(password);
  }

  static void answer_plain(int fd) {
    if (test::receive_exactly(fd, 4) == "ping") test::send_all(fd, "plain pong");
  }
  void answer_tls(int fd) {
    TlsPeer peer(upstream_tls_, fd);
    if (peer.read() != "ping") return;
    peer.write("tls pong to " + peer.server_name());
    peer.close_notify();
  }

  test::CertificateAuthority authority_;
  TlsAcceptor upstream_tls_{authority_.issue({.names = "DNS:a.test,IP:127.0.0.1"})};
  test::DnsServer dns_;
  TcpServer plain_{[](int fd) { answer_plain(fd); }};
  TcpServer secure_{[this](int fd) { answer_tls(fd); }};
  std::function<bool(std::span<const std::uint8_t>)> policy_ = allow_all;
  EgressProxy proxy_;  // kNone
  WorkerThread loop_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

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
