#include "net/tls/tls.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "net/tls/tls_stream.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/tls_peer.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::CertificateFiles;
using test::LeafOptions;
using test::TcpServer;
using test::TlsAcceptor;
using test::TlsPeer;
using test::WorkerThread;
using Connected = Result<std::unique_ptr<Stream>>;

TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }
const milliseconds kLong{10'000};

std::unique_ptr<Stream> tcp_to(Worker& worker, std::uint16_t port) {
  const int fd = test::connect_to_loopback(port);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return make_tcp_stream(worker, fd);
}

// Reads until anything but kOk; the bytes and that end.
struct Received {
  std::string bytes;
  IoResult end;
};
Task<Received> receive_all(Stream& stream) {
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

TEST_F(TlsClientTest, AcceptsNamesAndAddressesOfTheCertificate) {
  const LeafOptions leaf{.names = "DNS:a.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1"};
  for (const char* host : {"a.test", "A.Test", "a.test.", "x.wild.test", "127.0.0.1", "::1"}) {
    EXPECT_EQ(shake_with(leaf, host), "ok") << host;
  }
}

TEST_F(TlsClientTest, RefusesOtherNamesAndAddresses) {
  const LeafOptions leaf{.names = "DNS:a.test,DNS:*.wild.test,IP:127.0.0.1"};
  for (const char* host : {"b.test", "wild.test", "x.y.wild.test", "leaf", "127.0.0.2", "::1"}) {
    const std::string result = shake_with(leaf, host);
    EXPECT_TRUE(result.starts_with("upstream_tls_failed: ")) << host << " " << result;
    EXPECT_NE(result.find("mismatch"), std::string::npos) << result;
  }
}

TEST_F(TlsClientTest, RefusesExpiredNotYetValidAndSelfSigned) {
  const std::string expired = shake_with({.names = "DNS:a.test", .from = -7200, .until = -3600}, "a.test");
  EXPECT_NE(expired.find("expired"), std::string::npos) << expired;
  const std::string future = shake_with({.names = "DNS:a.test", .from = 3600, .until = 7200}, "a.test");
  EXPECT_NE(future.find("not yet valid"), std::string::npos) << future;
  const std::string own = shake_with({.names = "DNS:a.test", .self_signed = true}, "a.test");
  EXPECT_NE(own.find("self-signed"), std::string::npos) << own;
}

TEST_F(TlsClientTest, RefusesAnAuthorityItDoesNotKnow) {
  test::CertificateAuthority other;
  TlsAcceptor acceptor(other.issue({.names = "DNS:a.test"}));
  const std::string result = shake([&](int fd) { TlsPeer(acceptor, fd).read(); }, "a.test");
  EXPECT_TRUE(result.starts_with("upstream_tls_failed: ")) << result;
}

TEST_F(TlsClientTest, SystemAuthoritiesCountWithAndWithoutAFileOfOurs) {
  test::CertificateAuthority other;  // authority_ is the system's here
  TlsAcceptor system_signed(authority_.issue({.names = "DNS:a.test"}));
  TlsAcceptor file_signed(other.issue({.names = "DNS:a.test"}));
  const auto system_server = [&](int fd) { TlsPeer(system_signed, fd).read(); };
  const auto file_server = [&](int fd) { TlsPeer(file_signed, fd).read(); };
  EXPECT_EQ(shake(system_server, "a.test", ""), "ok");
  EXPECT_NE(shake(file_server, "a.test", ""), "ok");
  EXPECT_EQ(shake(system_server, "a.test", other.file()), "ok");
  EXPECT_EQ(shake(file_server, "a.test", other.file()), "ok");
}

TEST_F(TlsClientTest, RefusesOldVersions) {
  TlsAcceptor acceptor(authority_.issue({.names = "DNS:a.test"}));
  acceptor.limit_version(TLS1_1_VERSION);
  const std::string result = shake([&](int fd) { TlsPeer(acceptor, fd).read(); }, "a.test");
  EXPECT_TRUE(result.starts_with("upstream_tls_failed: ")) << result;
}

TEST_F(TlsClientTest, PlaintextAnswerIsNoAnswer) {
  const auto serve = [](int fd) {
    test::send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");  // before the client says anything
    test::wait_for_close(fd);
  };
  const std::string result = shake(serve, "a.test");
  EXPECT_EQ(result, "upstream_tls_failed: TLS handshake with a.test:443 failed: the other side does not speak TLS");
}

TEST_F(TlsClientTest, ClosedOrResetDuringTheHandshake) {
  const std::string closed = shake([](int fd) { test::receive_exactly(fd, 50); }, "a.test");
  EXPECT_TRUE(closed.starts_with("upstream_tls_failed: ")) << closed;
  const auto cut = [](int fd) {
    test::receive_exactly(fd, 50);
    const linger hard = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  };
  const std::string reset = shake(cut, "a.test");
  EXPECT_TRUE(reset.starts_with("upstream_tls_failed: ")) << reset;
}

TEST_F(TlsClientTest, StalledHandshakeEndsWithTheDeadline) {
  const std::string result = shake([](int fd) { test::wait_for_close(fd); }, "a.test", milliseconds(60));
  EXPECT_TRUE(result.starts_with("upstream_connect_timeout: ")) << result;
}

TEST_F(TlsClientTest, NoByteOfOursIsReadableBeforeTheCertificateIsVerified) {
  TlsAcceptor acceptor(authority_.issue({.names = "DNS:other.test"}));
  std::atomic<bool> leaked{false};
  const auto serve = [&](int fd) {
    TlsPeer peer(acceptor, fd);
    leaked = !peer.read().empty();
  };
  EXPECT_TRUE(shake(serve, "a.test").starts_with("upstream_tls_failed: "));
  EXPECT_FALSE(leaked);
}

TEST_F(TlsClientTest, SendsTheNameAndAlpnAndNoNameForAddresses) {
  TlsAcceptor acceptor(authority_.issue({.names = "DNS:a.test,IP:127.0.0.1"}));
  std::mutex mutex;
  std::vector<std::string> names;
  const auto serve = [&](int fd) {
    TlsPeer peer(acceptor, fd);
    const std::lock_guard lock(mutex);
    names.push_back(peer.server_name() + "/" + peer.version());
  };
  EXPECT_EQ(shake(serve, "a.test."), "ok");
  EXPECT_EQ(shake(serve, "127.0.0.1"), "ok");
  EXPECT_EQ(names, (std::vector<std::string>{"a.test/TLSv1.3", "/TLSv1.3"}));
}

class TlsExchangeTest : public TlsClientTest, public testing::WithParamInterface<int> {
 protected:
  // Connects `times`, says "hello", reads to the end.
  Received exchange(const std::function<void(TlsPeer&)>& answer, int times = 1) {
    TlsAcceptor acceptor(authority_.issue({.names = "DNS:a.test"}));
    acceptor.limit_version(GetParam());
    TcpServer server([&](int fd) {
      TlsPeer peer(acceptor, fd);
      if (peer.read() == "hello") answer(peer);
    });
    const auto body = [&](Worker& worker) -> Task<Received> {
      TlsClient client(authority_.file());
      Received last;
      for (int i = 0; i < times; ++i) {
        std::unique_ptr<Stream> transport = tcp_to(worker, server.port());
        Connected stream = co_await client.handshake(std::move(transport), "a.test", 443, in(kLong));
        if (!stream) co_return Received{.bytes = stream.error().message, .end = {}};
        const IoResult sent = co_await write_all(**stream, "hello", in(kLong));
        EXPECT_EQ(sent.status, IoStatus::kOk);
        last = co_await receive_all(**stream);
      }
      co_return last;
    };
    return loop_.run(body);
  }
};

TEST_P(TlsExchangeTest, CleanEndIsEof) {
  const Received received = exchange([](TlsPeer& peer) {
    peer.write("world");
    peer.close_notify();
  });
  EXPECT_EQ(received.bytes, "world");
  EXPECT_EQ(received.end.status, IoStatus::kEof);
}

TEST_P(TlsExchangeTest, EndWithoutCloseNotifyIsAnError) {
  const Received received = exchange([](TlsPeer& peer) { peer.write("worl"); });
  EXPECT_EQ(received.bytes, "worl");
  EXPECT_EQ(received.end.status, IoStatus::kError);
  EXPECT_EQ(received.end.error, -1);
}

TEST_P(TlsExchangeTest, ResumesTheSession) {
  std::atomic<int> resumed{0};
  exchange(
      [&](TlsPeer& peer) {
        resumed += peer.resumed() ? 1 : 0;
        peer.write("world");
        peer.close_notify();
      },
      4);
  EXPECT_EQ(resumed, 3);
}

// A pooled connection is dropped without a TLS close: that must not spoil its session.
TEST_P(TlsExchangeTest, ResumesAfterADroppedConnection) {
  TlsAcceptor acceptor(authority_.issue({.names = "DNS:a.test"}));
  acceptor.limit_version(GetParam());
  std::atomic<int> resumed{0};
  TcpServer server([&](int fd) {
    TlsPeer peer(acceptor, fd);
    resumed += peer.resumed() ? 1 : 0;
    peer.write("x");
    peer.read();
  });
  const auto body = [&](Worker& worker) -> Task<void> {
    TlsClient client(authority_.file());
    for (int i = 0; i < 3; ++i) {
      std::unique_ptr<Stream> transport = tcp_to(worker, server.port());
      Connected stream = co_await client.handshake(std::move(transport), "a.test", 443, in(kLong));
      char byte = 0;
      const IoResult got = co_await read_some(**stream, &byte, 1, in(kLong));
      EXPECT_EQ(got.bytes, 1U);
    }
  };
  loop_.run(body);
  EXPECT_EQ(resumed, 2);
}

TEST_P(TlsExchangeTest, LargeBodiesBothWaysKeepEveryByte) {
  std::string large;
  for (int i = 0; large.size() < 3'000'000; ++i) large += std::to_string(i) + ",";
  TlsAcceptor acceptor(authority_.issue({.names = "DNS:a.test"}));
  acceptor.limit_version(GetParam());
  std::string received_there;
  TcpServer server([&](int fd) {
    TlsPeer peer(acceptor, fd);
    while (received_there.size() < large.size()) {
      const std::string more = peer.read();
      if (more.empty()) return;
      received_there += more;
    }
    peer.write(large);
    peer.close_notify();
  });
  const auto body = [&](Worker& worker) -> Task<std::string> {
    TlsClient client(authority_.file());
    std::unique_ptr<Stream> transport = tcp_to(worker, server.port());
    const int small = 4096;  // so that writes block in the middle of a record
    ::setsockopt(transport->socket().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    Connected stream = co_await client.handshake(std::move(transport), "a.test", 443, in(kLong));
    // Small and large parts in turn, offered again from the front after each partial write.
    std::vector<iovec> parts;
    for (std::size_t at = 0, step = 1; at < large.size(); at += step, step = step * 5 % 40'009) {
      step = std::min(step, large.size() - at);
      parts.push_back({.iov_base = large.data() + at, .iov_len = step});
    }
    std::size_t first = 0;
    while (first < parts.size()) {
      const int count = static_cast<int>(std::min<std::size_t>(parts.size() - first, 16));
      IoResult sent = (*stream)->try_write(parts.data() + first, count);
      if (sent.status == IoStatus::kWouldBlock) {
        const WaitEnd end = co_await wait_for((*stream)->socket(), sent.want, in(kLong));
        EXPECT_EQ(end, WaitEnd::kReady);
        continue;
      }
      EXPECT_EQ(sent.status, IoStatus::kOk);
      if (sent.status != IoStatus::kOk) co_return "write failed";
      while (sent.bytes > 0) {
        const std::size_t step = std::min(sent.bytes, parts[first].iov_len);
        parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + step;
        parts[first].iov_len -= step;
        sent.bytes -= step;
        if (parts[first].iov_len == 0) ++first;
      }
    }
    const Received back = co_await receive_all(**stream);
    EXPECT_EQ(back.end.status, IoStatus::kEof);
    co_return back.bytes;
  };
  EXPECT_TRUE(loop_.run(body) == large);
  EXPECT_TRUE(received_there == large);
}

INSTANTIATE_TEST_SUITE_P(Versions, TlsExchangeTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) { return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST(TlsClient, UnusableCaFileStopsTheStart) { EXPECT_THROW(TlsClient("/nonexistent/ca.pem"), std::runtime_error); }

class TlsServerTest : public TlsClientTest {
 protected:
  // Our server with our client on one worker; what `both` returns.
  std::string with_pair(const std::function<Task<std::string>(Stream&, Stream&)>& both) {
    const CertificateFiles files = authority_.issue({.names = "DNS:a.test"});
    const auto body = [&](Worker& worker) -> Task<std::string> {
      Result<std::unique_ptr<TlsServer>> server = TlsServer::load(files.certificate, files.key);
      if (!server) co_return server.error().message;
      std::array<int, 2> ends = {};
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data());
      Connected accepted = Error{};
      bool done = false;
      const auto accept = [](TlsServer& s, std::unique_ptr<Stream> transport, Connected& out, bool& end) -> Task<void> {
        out = co_await s.accept(std::move(transport), in(kLong));
        end = true;
      };
      worker.spawn(accept(**server, make_tcp_stream(worker, ends[1]), accepted, done));
      TlsClient client(authority_.file());
      std::unique_ptr<Stream> transport = make_tcp_stream(worker, ends[0]);
      Connected stream = co_await client.handshake(std::move(transport), "a.test", 443, in(kLong));
      while (!done) co_await worker.yield();
      if (!stream || !accepted) co_return "handshake failed";
      std::string result = co_await both(**stream, **accepted);
      co_return result;
    };
    return loop_.run(body);
  }

  // What accept() makes of a client that sends `bytes` and then, if `close`, leaves.
  ErrorCode accept_of(std::string_view bytes, bool close) {
    const CertificateFiles files = authority_.issue();
    const auto body = [&](Worker& worker) -> Task<ErrorCode> {
      Result<std::unique_ptr<TlsServer>> server = TlsServer::load(files.certificate, files.key);
      std::array<int, 2> ends = {};
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data());
      test::send_all(ends[0], bytes);
      if (close) ::close(ends[0]);
      std::unique_ptr<Stream> transport = make_tcp_stream(worker, ends[1]);
      Connected stream = co_await (*server)->accept(std::move(transport), in(milliseconds(50)));
      if (!close) ::close(ends[0]);
      co_return stream ? ErrorCode::kInternal : stream.error().code;
    };
    return loop_.run(body);
  }
};

TEST_F(TlsServerTest, TalksToOurClientBothWays) {
  const auto both = [](Stream& client, Stream& server) -> Task<std::string> {
    std::string heard;
    const std::array<Stream*, 2> sides = {&client, &server};
    for (std::size_t i = 0; i < sides.size(); ++i) {
      EXPECT_TRUE(sides[i]->tls());
      const IoResult sent = co_await write_all(*sides[i], "hello", in(kLong));
      EXPECT_EQ(sent.status, IoStatus::kOk);
      std::array<char, 16> chunk = {};
      const IoResult got = co_await read_some(*sides[1 - i], chunk.data(), chunk.size(), in(kLong));
      heard.append(chunk.data(), got.bytes);
    }
    co_return heard;
  };
  EXPECT_EQ(with_pair(both), "hellohello");
}

TEST_F(TlsServerTest, ShutdownOfOneDirectionLeavesTheOther) {
  const auto both = [](Stream& client, Stream& server) -> Task<std::string> {
    client.shutdown_write();
    const Received there = co_await receive_all(server);
    EXPECT_EQ(there.end.status, IoStatus::kEof);
    const IoResult sent = co_await write_all(server, "late", in(kLong));
    EXPECT_EQ(sent.status, IoStatus::kOk);
    server.shutdown_write();
    const Received here = co_await receive_all(client);
    EXPECT_EQ(here.end.status, IoStatus::kEof);
    co_return here.bytes;
  };
  EXPECT_EQ(with_pair(both), "late");
}

// The four smallest parts travel as one record: one write of the kernel for head, chunk line, bytes and line end.
TEST_F(TlsServerTest, SmallPartsShareARecord) {
  const auto both = [](Stream& client, Stream& server) -> Task<std::string> {
    std::string parts = "abcd";
    std::array<iovec, 6> list = {};  // with an empty part in the middle and one at the end
    for (std::size_t i = 0; i < 4; ++i) list[i < 2 ? i : i + 1] = {.iov_base = parts.data() + i, .iov_len = 1};
    const IoResult sent = client.try_write(list.data(), static_cast<int>(list.size()));
    EXPECT_EQ(sent.bytes, 4U);
    std::array<char, 16> chunk = {};
    const IoResult got = co_await read_some(server, chunk.data(), chunk.size(), in(kLong));
    co_return std::string(chunk.data(), got.bytes);
  };
  EXPECT_EQ(with_pair(both), "abcd");
}

TEST_F(TlsServerTest, ClientsThatDoNotShakeHands) {
  EXPECT_EQ(accept_of("GET / HTTP/1.1\r\n\r\n", false), ErrorCode::kBadRequest);
  EXPECT_EQ(accept_of("", false), ErrorCode::kRequestTimeout);
  EXPECT_EQ(accept_of("", true), ErrorCode::kClientGone);
}

TEST_F(TlsServerTest, UnusableFilesNameTheirSetting) {
  const CertificateFiles one = authority_.issue();
  const CertificateFiles two = authority_.issue();
  EXPECT_EQ(TlsServer::load("/nonexistent", one.key).error().field, "TLS_CERT_FILE");
  EXPECT_EQ(TlsServer::load(one.certificate, "/nonexistent").error().field, "TLS_KEY_FILE");
  EXPECT_EQ(TlsServer::load(one.certificate, two.key).error().field, "TLS_KEY_FILE");
  EXPECT_TRUE(TlsServer::load(one.certificate, one.key));
}

}  // namespace
}  // namespace akr::net
