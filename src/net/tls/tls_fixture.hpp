// tls_fixture.hpp - for tests: an authority, peers that speak TLS without our code, and handshakes with them.
#pragma once

#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "net/tls/tls.hpp"
#include "net/tls/tls_stream.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/tls_peer.hpp"

namespace akr::net {

using std::chrono::milliseconds;
using test::CertificateFiles;
using test::LeafOptions;
using test::TcpServer;
using test::TlsAcceptor;
using test::TlsPeer;
using test::WorkerThread;
using Connected = Result<std::unique_ptr<Stream>>;

inline TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }
inline const milliseconds kLong{10'000};

inline std::unique_ptr<Stream> tcp_to(Worker& worker, std::uint16_t port) {
  const int fd = test::connect_to_loopback(port);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return make_tcp_stream(worker, fd);
}

// Reads until anything but kOk; the bytes and that end.
struct Received {
  std::string bytes;
  IoResult end;
};
inline Task<Received> receive_all(Stream& stream) {
  Received result;
  for (;;) {
    std::array<char, 4096> chunk = {};
    const IoResult got = co_await read_some(stream, chunk.data(), chunk.size(), in(kLong));
    if (got.status != IoStatus::kOk) {
      result.end = got;
      co_return result;
    }
    result.bytes.append(chunk.data(), got.bytes);
  }
}

class TlsClientTest : public testing::Test {
 protected:
  TlsClientTest() {
    std::signal(SIGPIPE, SIG_IGN);                            // the peers of these tests write with write()
    ::setenv("SSL_CERT_FILE", authority_.file().c_str(), 1);  // instead of the system's hundred and more
  }

  // What one handshake with `serve` behind the port comes to: "ok", or "code: message".
  std::string shake(const std::function<void(int)>& serve, const std::string& host, milliseconds limit = kLong) {
    return shake(serve, host, authority_.file(), limit);
  }
  std::string shake(const std::function<void(int)>& serve, const std::string& host, const std::string& ca_file,
                    milliseconds limit = kLong) {
    TcpServer server(serve);
    const auto body = [&](Worker& worker) -> Task<std::string> {
      TlsClient client(ca_file);
      std::unique_ptr<Stream> transport = tcp_to(worker, server.port());
      Connected stream = co_await client.handshake(std::move(transport), host, 443, in(limit));
      if (stream) co_return "ok";
      co_return std::string(to_string(stream.error().code)) + ": " + stream.error().message;
    };
    return loop_.run(body);
  }
  std::string shake_with(const LeafOptions& leaf, const std::string& host) {
    TlsAcceptor acceptor(authority_.issue(leaf));
    const auto serve = [&](int fd) {
      TlsPeer peer(acceptor, fd);
      peer.read();
    };
    return shake(serve, host);
  }

  test::CertificateAuthority authority_;
  WorkerThread loop_;
};

}  // namespace akr::net
