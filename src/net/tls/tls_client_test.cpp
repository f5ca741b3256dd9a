// tls_client_test.cpp - our side of TLS towards upstreams: whom it believes, and what ends look like.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/tls/tls_fixture.hpp"

namespace akr::net {
namespace {

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

}  // namespace
}  // namespace akr::net
