// exchange_ends_test.cpp - how an exchange ends without an answer, and when its request may go out again.
#include <linux/filter.h>

#include "net/client/exchange_fixture.hpp"
#include "tests/support/tls_peer.hpp"

namespace akr::net {
namespace {

TEST_F(Exchange, WhatIsNotHttpIsAProtocolError) {
  for (const char* garbage : {"SSH-2.0-OpenSSH\r\n", "HTTP/1.1 2000 X\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n"}) {
    const Seen seen = run([&](int fd) { answer_once(fd, garbage); });
    EXPECT_EQ(seen.result.end, ExchangeEnd::kProtocol) << garbage;
  }
}

TEST_F(Exchange, AnEndlessHeadIsAProtocolError) {
  const Seen seen = run([](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    test::send_all(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 20'000; ++i) test::send_all(fd, "A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n");
  });
  EXPECT_EQ(seen.result.end, ExchangeEnd::kProtocol);
}

TEST_F(Exchange, AClosedConnectionSaysWhetherAnythingCame) {
  const Seen nothing = run([](int fd) { test::receive_until(fd, "\r\n\r\n"); });
  EXPECT_EQ(nothing.result.end, ExchangeEnd::kClosed);
  EXPECT_FALSE(nothing.result.any_answer);
  EXPECT_FALSE(nothing.result.never_arrived);  // a fresh connection: it may have been read
}

TEST_F(Exchange, HalfAHeadIsClosedWithAnAnswer) {
  const Seen seen = run([](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    test::send_all(fd, "HTTP/1.1 200");
  });
  EXPECT_EQ(seen.result.end, ExchangeEnd::kClosed);
  EXPECT_TRUE(seen.result.any_answer);
}

TEST_F(Exchange, FirstByteTimerCountsToTheCompleteHead) {
  const auto began = std::chrono::steady_clock::now();
  const Seen seen = run(
      [](int fd) {
        test::receive_until(fd, "\r\n\r\n");
        test::send_all(fd, "HTTP/1.1 200 OK\r\nA: ");
        test::wait_for_close(fd);
      },
      {.head = kHead, .limits = {.first_byte = milliseconds(100)}});
  EXPECT_EQ(seen.result.end, ExchangeEnd::kFirstByte);
  EXPECT_TRUE(seen.result.any_answer);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(5));
}

TEST_F(Exchange, TotalTimerWins) {
  const Seen seen = run([](int fd) { test::wait_for_close(fd); },
                        {.head = kHead, .limits = {.total = std::chrono::steady_clock::now() + milliseconds(150)}});
  EXPECT_EQ(seen.result.end, ExchangeEnd::kTotal);
}

// Waits for the other side's end without reading.
void wait_hangup(int fd) {
  pollfd ended = {.fd = fd, .events = POLLRDHUP, .revents = 0};
  ::poll(&ended, 1, 10'000);
}

TEST_F(Exchange, SendTimerIsForAnUpstreamThatDoesNotRead) {
  TextSource much(std::string(64 << 20, 'x'), 65'536);
  const Seen seen =
      run([](int fd) { wait_hangup(fd); }, {.head = kHead, .body = &much, .limits = {.send = milliseconds(150)}});
  EXPECT_EQ(seen.result.end, ExchangeEnd::kSend);
  EXPECT_GT(seen.result.sent, 0U);
  EXPECT_FALSE(seen.result.complete);
}

TEST_F(Exchange, AClientsBrokenBodyEndsIt) {
  FailingSource failing;
  const Seen seen = run([](int fd) { test::wait_for_close(fd); }, {.head = kHead, .body = &failing});
  EXPECT_EQ(seen.result.end, ExchangeEnd::kClientBody);
  EXPECT_EQ(seen.result.error, EPROTO);
}

TEST_F(Exchange, AClientThatLeavesEndsIt) {
  const Seen seen = run([this](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    ::shutdown(client_[1], SHUT_RDWR);
    test::wait_for_close(fd);
  });
  EXPECT_EQ(seen.result.end, ExchangeEnd::kClientGone);
}

TEST_F(Exchange, AConnectionServesOneRequestAfterAnother) {
  std::atomic<int> connections = 0;
  const Seen seen = run(
      [&](int fd) {
        ++connections;
        while (!test::receive_until(fd, "\r\n\r\n").empty()) test::send_all(fd, "HTTP/1.1 204 None\r\n\r\n");
      },
      {.head = kHead}, 3);
  EXPECT_EQ(seen.status, 204);
  EXPECT_EQ(connections, 1);
}

// D39: the upstream closed the idle connection before our request arrived, so it may go out again, even a POST.
TEST_F(Exchange, AStaleConnectionNeverGotTheRequest) {
  std::atomic<int> peer = -1;
  before_reuse_ = [&](Worker&, UpstreamConnection&) -> Task<void> {
    ::shutdown(peer, SHUT_RDWR);  // on loopback the FIN is here when this returns
    co_return;
  };
  const Seen seen = run(
      [&](int fd) {
        peer = fd;
        answer_once(fd, "HTTP/1.1 204 None\r\n\r\n");
      },
      {.head = kHead}, 2);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kClosed);
  EXPECT_FALSE(seen.result.any_answer);
}

TEST_F(Exchange, ARequestThatWasReadIsNotStale) {
  const Seen seen = run(
      [](int fd) {
        test::receive_until(fd, "\r\n\r\n");
        test::send_all(fd, "HTTP/1.1 204 None\r\n\r\n");
        test::receive_until(fd, "\r\n\r\n");  // reads the second one, then closes
      },
      {.head = kHead}, 2);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kClosed);
  EXPECT_FALSE(seen.result.never_arrived);
}

// From now on `fd` hears nothing, not even its kernel: like a connection that a firewall on the way has forgotten.
void fall_silent(int fd) {
  sock_filter drop = {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program = {.len = 1, .filter = &drop};
  ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

void answer_then_fall_silent(int fd) {
  test::receive_until(fd, "\r\n\r\n");
  fall_silent(fd);
  test::send_all(fd, "HTTP/1.1 204 None\r\n\r\n");
  pollfd nothing = {.fd = fd, .events = POLLRDHUP, .revents = 0};
  ::poll(&nothing, 1, 1'500);
}

// A request on a kept connection that a firewall had dropped without a word waited for the whole first-byte time.
TEST_F(Exchange, AReusedConnectionThatIsSilentlyGoneEndsWithinASecond) {
  const auto began = std::chrono::steady_clock::now();
  const Seen seen = run(answer_then_fall_silent, {.head = kHead, .limits = {.may_resend = true}}, 2);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kClosed);
  EXPECT_EQ(seen.result.error, ETIMEDOUT);
  EXPECT_FALSE(seen.result.any_answer);
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(500));
}

// Under TLS more bytes are acknowledged than we send: counting them, the silence was never noticed.
TEST_F(Exchange, AReusedTlsConnectionThatIsSilentlyGoneEndsWithinASecond) {
  test::CertificateAuthority authority;
  test::TlsAcceptor acceptor(authority.issue({.names = "IP:127.0.0.1"}));
  ca_file_ = authority.file();
  const auto serve = [&](int fd) {
    test::TlsPeer peer(acceptor, fd);
    peer.read();
    fall_silent(fd);
    peer.write("HTTP/1.1 204 None\r\n\r\n");
    pollfd nothing = {.fd = fd, .events = POLLRDHUP, .revents = 0};
    ::poll(&nothing, 1, 1'500);
  };
  const Seen seen = run(serve, {.head = kHead, .limits = {.may_resend = true}}, 2);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kClosed);
  EXPECT_EQ(seen.result.error, ETIMEDOUT);
}

TEST_F(Exchange, ARequestThatMustNotGoOutTwiceWaitsForItsSilentConnection) {
  const Seen seen = run(answer_then_fall_silent, {.head = kHead, .limits = {.first_byte = milliseconds(1'200)}}, 2);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kFirstByte);
}

TEST_F(Exchange, AnUpstreamThatThinksOnAReusedConnectionIsNotSilent) {
  const auto think = [](int fd) {
    for (int i = 0; i < 2; ++i) {
      test::receive_until(fd, "\r\n\r\n");
      pollfd nothing = {.fd = fd, .events = POLLRDHUP, .revents = 0};
      if (i == 1) ::poll(&nothing, 1, 1'300);
      test::send_all(fd, "HTTP/1.1 204 None\r\n\r\n");
    }
    test::wait_for_close(fd);
  };
  const Seen seen = run(think, {.head = kHead, .limits = {.may_resend = true}}, 2);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kAnswered);
}

TEST_F(Exchange, ShutdownCancels) {
  const Seen seen = run([&](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    loop_.worker().stop();
    test::wait_for_close(fd);
  });
  EXPECT_EQ(seen.result.end, ExchangeEnd::kCancelled);
}

}  // namespace
}  // namespace akr::net
