#include "net/client/exchange.hpp"

#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "net/loop/worker.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/tls_peer.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::TcpServer;

TimePoint soon() { return std::chrono::steady_clock::now() + seconds(10); }

// A body in memory, in runs of `step`.
class TextSource final : public BodySource {
 public:
  TextSource(std::string text, std::size_t step, bool chunks = false)
      : text_(std::move(text)), step_(step), chunks_(chunks) {}
  IoResult next(std::string_view& run) override {
    if (at_ >= text_.size()) return {.status = IoStatus::kEof};
    run = std::string_view(text_).substr(at_, step_);
    at_ += run.size();
    return {.bytes = run.size()};
  }
  bool chunked() const override { return chunks_; }

 private:
  std::string text_;
  std::size_t step_;
  std::size_t at_ = 0;
  bool chunks_;
};

class FailingSource final : public BodySource {
 public:
  IoResult next(std::string_view&) override { return {.status = IoStatus::kError, .error = EPROTO}; }
};

struct Seen {
  ExchangeResult result;
  int status = 0;
  std::string rest;  // bytes behind the head
  std::string reason;
};

const std::string kHead = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

class Exchange : public testing::Test {
 protected:
  Seen run(const std::function<void(int)>& serve, ExchangeRequest request = {.head = kHead}, int times = 1) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, client_), 0);
    TcpServer server(serve);
    Seen seen;
    loop_.run([&](Worker& worker) -> Task<void> {
      ConnectorOptions options;
      options.address_allowed = [](std::span<const std::uint8_t>) { return true; };
      options.ca_file = ca_file_;
      Connector connector(worker, std::move(options));
      UpstreamPool pool(worker, connector, {});
      const UpstreamOrigin origin = {.tls = !ca_file_.empty(), .host = "127.0.0.1", .port = server.port()};
      Socket client(worker, client_[0]);
      ClientWatch watch(client);
      for (int i = 0; i < times; ++i) {
        UpstreamConnection connection;
        if (!pool.take_idle(origin, connection)) {
          auto opened = co_await pool.open(origin, soon());
          connection = *std::move(opened);
        }
        if (i > 0) co_await before_reuse_(worker, connection);
        MessageSlotPtr answer;
        seen.result = co_await exchange(connection, request, &watch, answer);
        if (seen.result.end == ExchangeEnd::kAnswered) {
          seen.status = answer->head.status();
          seen.reason = answer->head.reason();
          seen.rest = answer->unread();
          connection.mark_reusable();
        }
        answer.reset();
      }
    });
    ::close(client_[1]);
    return seen;
  }

  int client_[2] = {-1, -1};
  std::string ca_file_;  // not empty: the server speaks TLS
  std::function<Task<void>(Worker&, UpstreamConnection&)> before_reuse_ =
      [](Worker&, UpstreamConnection&) -> Task<void> { co_return; };
  test::WorkerThread loop_;
};

const std::string kOk = "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok";

void answer_once(int fd, std::string_view answer) {
  test::receive_until(fd, "\r\n\r\n");
  test::send_all(fd, answer);
  test::wait_for_close(fd);
}

TEST_F(Exchange, GivesTheHeadAndWhatCameBehindIt) {
  const Seen seen = run([](int fd) { answer_once(fd, kOk); });
  EXPECT_EQ(seen.result.end, ExchangeEnd::kAnswered);
  EXPECT_TRUE(seen.result.complete);
  EXPECT_EQ(seen.result.sent, kHead.size());
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.reason, "Fine");
  EXPECT_EQ(seen.rest, "ok");
}

TEST_F(Exchange, AHeadInSingleBytes) {
  const Seen seen = run([](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    for (char c : kOk) test::send_all(fd, {&c, 1});
    test::wait_for_close(fd);
  });
  EXPECT_EQ(seen.status, 200);
}

TEST_F(Exchange, DropsInterimAnswersHoweverMany) {
  const Seen seen = run([](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    std::string interim;
    for (int i = 0; i < 5000; ++i) interim += "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
    test::send_all(fd, interim + kOk);
    test::wait_for_close(fd);
  });
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.rest, "ok");
}

// An upstream that sent 1xx answers without an end kept the worker for 4 to 29 s: the loop did not return to the event
// loop, and the first-byte timer was looked at only when the upstream was silent.  (Kind: a peer that is always ready.)
TEST_F(Exchange, InterimAnswersWithoutAnEndMeetTheFirstByteTimer) {
  const auto serve = [](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    std::string interim;
    for (int i = 0; i < 10'000; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
    while (::send(fd, interim.data(), interim.size(), MSG_NOSIGNAL) > 0) {
    }
  };
  ExchangeRequest request = {.head = kHead};
  request.limits.first_byte = milliseconds(100);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(run(serve, request).result.end, ExchangeEnd::kFirstByte);
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5));
}

TEST_F(Exchange, MoreInterimAnswersThanAllowedAreAnError) {
  const auto serve = [](int interim) {
    return [interim](int fd) {
      test::receive_until(fd, "\r\n\r\n");
      for (int i = 0; i < interim; ++i) test::send_all(fd, "HTTP/1.1 102 Processing\r\n\r\n");
      test::send_all(fd, kOk);
      test::wait_for_close(fd);
    };
  };
  ExchangeRequest request = {.head = kHead};
  request.limits.most_interim = 20;
  EXPECT_EQ(run(serve(20), request).status, 200);
  const Seen seen = run(serve(21), request);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kProtocol);
  EXPECT_EQ(seen.result.error, E2BIG);
}

TEST_F(Exchange, SendsBodiesPlainOrInChunks) {
  std::string received;
  const auto serve = [&](int fd) {
    received = test::receive_until(fd, "END");
    test::send_all(fd, kOk);
    test::wait_for_close(fd);
  };
  const std::string body = std::string(200'000, 'b') + "END";
  TextSource plain(body, 7'777);
  EXPECT_EQ(run(serve, {.head = kHead, .body = &plain}).status, 200);
  EXPECT_TRUE(received == kHead + body);
}

TEST_F(Exchange, SendsChunks) {
  std::string received;
  TextSource chunks("abcdef", 4, true);
  const Seen seen = run(
      [&](int fd) {
        received = test::receive_until(fd, "0\r\n\r\n");
        test::send_all(fd, kOk);
        test::wait_for_close(fd);
      },
      {.head = kHead, .body = &chunks});
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(received, kHead + "4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n");
}

TEST_F(Exchange, AnEarlyAnswerEndsTheSending) {
  TextSource endless(std::string(64 << 20, 'x'), 65'536);
  const Seen seen = run(
      [](int fd) {
        test::receive_exactly(fd, 1000);
        test::send_all(fd, "HTTP/1.1 413 Enough\r\nContent-Length: 0\r\n\r\n");
        test::wait_for_close(fd);
      },
      {.head = kHead, .body = &endless});
  EXPECT_EQ(seen.result.end, ExchangeEnd::kAnswered);
  EXPECT_FALSE(seen.result.complete);
  EXPECT_EQ(seen.status, 413);
}

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
