// connector_fixture.hpp - for tests: names, upstreams with and without TLS, and a connector that asks them.
#pragma once

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

#include "net/client/connector.hpp"
#include "net/loop/socket_address.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/egress_proxies.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/silent_port.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/tls_peer.hpp"

namespace akr::net {

using std::chrono::milliseconds;
using test::TcpServer;
using test::TlsAcceptor;
using test::TlsPeer;
using test::WorkerThread;
using Connected = Result<std::unique_ptr<Stream>>;
using Kind = EgressProxy::Kind;

inline TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }
inline const milliseconds kLong{10'000};

inline bool allow_all(std::span<const std::uint8_t>) { return true; }
inline bool refuse_loopback(std::span<const std::uint8_t> address) { return address[0] != 127 && address.size() == 4; }

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

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace akr::net
