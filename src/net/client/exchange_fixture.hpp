// exchange_fixture.hpp - for tests: an exchange over a real connection with an upstream that the test plays.
#pragma once

#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "net/client/exchange.hpp"
#include "net/loop/worker.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/tcp_server.hpp"

namespace akr::net {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::TcpServer;

inline TimePoint soon() { return std::chrono::steady_clock::now() + seconds(10); }

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

inline const std::string kHead = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

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

inline const std::string kOk = "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok";

inline void answer_once(int fd, std::string_view answer) {
  test::receive_until(fd, "\r\n\r\n");
  test::send_all(fd, answer);
  test::wait_for_close(fd);
}

}  // namespace akr::net
