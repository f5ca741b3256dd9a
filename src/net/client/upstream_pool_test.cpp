#include "net/client/upstream_pool.hpp"

#include <atomic>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "net/loop/worker.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/tcp_server.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::TcpServer;

TimePoint soon() { return std::chrono::steady_clock::now() + seconds(10); }

class UpstreamPoolTest : public testing::Test {
 protected:
  using Body = std::function<Task<void>(UpstreamPool&, Worker&)>;

  void run(const Body& body, const UpstreamLimits& limits = {}) {
    loop_.run([&](Worker& worker) -> Task<void> {
      ConnectorOptions options;
      options.address_allowed = [](std::span<const std::uint8_t>) { return true; };
      Connector connector(worker, std::move(options));
      UpstreamPool pool(worker, connector, limits);
      co_await body(pool, worker);
    });
  }
  UpstreamOrigin origin() const { return {.host = "127.0.0.1", .port = server_.port()}; }
  static Task<void> pause(Worker& worker, milliseconds time) { co_await sleep_until(worker, worker.now() + time); }
  // One byte there and back, as a request would.
  static Task<void> ping(UpstreamConnection& connection) {
    co_await write_all(connection.stream(), "p", soon());
    char byte = 0;
    const IoResult got = co_await read_some(connection.stream(), &byte, 1, soon());
    EXPECT_EQ(got.status, IoStatus::kOk);
  }
  static Task<void> use_once(UpstreamPool& pool, UpstreamOrigin where) {
    auto opened = co_await pool.open(where, soon());
    EXPECT_TRUE(opened);
    UpstreamConnection connection = *std::move(opened);
    co_await ping(connection);
    connection.mark_reusable();
  }

  std::atomic<int> extra_ = 0;       // bytes that the server sends unasked after each answer
  std::atomic<bool> close_ = false;  // or it closes
  TcpServer server_{[this](int fd) {
    for (std::string byte; !(byte = test::receive_exactly(fd, 1)).empty();) {
      test::send_all(fd, byte);
      if (extra_ > 0) test::send_all(fd, std::string(static_cast<std::size_t>(extra_), 'x'));
      if (close_) return;
    }
  }};
  test::WorkerThread loop_;
};

TEST_F(UpstreamPoolTest, AMarkedConnectionIsTakenAgain) {
  run([&](UpstreamPool& pool, Worker&) -> Task<void> {
    co_await use_once(pool, origin());
    EXPECT_EQ(pool.gauges().idle, 1U);
    UpstreamConnection again;
    EXPECT_TRUE(pool.take_idle(origin(), again));
    EXPECT_TRUE(again.reused());
    EXPECT_EQ(pool.gauges().busy, 1U);
    co_await ping(again);
    again.release();
    EXPECT_EQ(pool.gauges().idle, 0U);  // not marked this time
    EXPECT_EQ(pool.gauges().busy, 0U);
    EXPECT_EQ(pool.gauges().opened, 1U);
    EXPECT_EQ(pool.gauges().reused, 1U);
  });
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(UpstreamPoolTest, ForbiddenReuseCannotBeMarked) {
  run([&](UpstreamPool& pool, Worker&) -> Task<void> {
    auto opened = co_await pool.open(origin(), soon());
    UpstreamConnection connection = *std::move(opened);
    connection.forbid_reuse();
    connection.mark_reusable();
    connection.release();
    EXPECT_EQ(pool.gauges().idle, 0U);
  });
}

TEST_F(UpstreamPoolTest, OriginsAndProxiesAreNotMixed) {
  run([&](UpstreamPool& pool, Worker&) -> Task<void> {
    co_await use_once(pool, origin());
    UpstreamConnection other;
    UpstreamOrigin tls = origin();
    tls.tls = true;
    UpstreamOrigin port = origin();
    ++port.port;
    UpstreamOrigin host = origin();
    host.host = "localhost";
    UpstreamOrigin proxied = origin();
    proxied.proxy_key = "socks5://127.0.0.1:1";
    for (const UpstreamOrigin& each : {tls, port, host, proxied}) EXPECT_FALSE(pool.take_idle(each, other));
    EXPECT_TRUE(pool.take_idle(origin(), other));
  });
}

TEST_F(UpstreamPoolTest, TheFreshestComesFirst) {
  run([&](UpstreamPool& pool, Worker&) -> Task<void> {
    auto first = co_await pool.open(origin(), soon());
    auto second = co_await pool.open(origin(), soon());
    UpstreamConnection old = *std::move(first);
    UpstreamConnection fresh = *std::move(second);
    const int fd = fresh.stream().socket().fd();
    old.mark_reusable();
    old.release();
    fresh.mark_reusable();
    fresh.release();
    UpstreamConnection taken;
    EXPECT_TRUE(pool.take_idle(origin(), taken));
    EXPECT_EQ(taken.stream().socket().fd(), fd);
  });
}

TEST_F(UpstreamPoolTest, SurplusBytesThatAreHereCloseIt) {
  extra_ = 10;
  run([&](UpstreamPool& pool, Worker& worker) -> Task<void> {
    auto opened = co_await pool.open(origin(), soon());
    UpstreamConnection connection = *std::move(opened);
    co_await ping(connection);
    co_await wait_for(connection.stream().socket(), kRead, soon());
    co_await pause(worker, milliseconds(20));
    connection.mark_reusable();
    connection.release();
    EXPECT_EQ(pool.gauges().idle, 0U);
  });
}

TEST_F(UpstreamPoolTest, AnythingThatHappensWhileIdleClosesIt) {
  for (const bool closes : {false, true}) {
    extra_ = 0;
    close_ = false;
    std::atomic<int> fd = -1;
    TcpServer server([&](int peer) {
      fd = peer;
      test::send_all(peer, test::receive_exactly(peer, 1));
      test::receive_exactly(peer, 1);
    });
    run([&](UpstreamPool& pool, Worker& worker) -> Task<void> {
      const UpstreamOrigin where = {.host = "127.0.0.1", .port = server.port()};
      co_await use_once(pool, where);
      EXPECT_EQ(pool.gauges().idle, 1U);
      if (closes) {
        ::shutdown(fd, SHUT_WR);
      } else {
        test::send_all(fd, "HTTP/1.1 200 nobody asked");
      }
      for (int i = 0; i < 1000 && pool.gauges().idle > 0; ++i) co_await pause(worker, milliseconds(5));
      EXPECT_EQ(pool.gauges().idle, 0U);
    });
  }
}

TEST_F(UpstreamPoolTest, IdleConnectionsAgeAndGo) {
  run(
      [&](UpstreamPool& pool, Worker& worker) -> Task<void> {
        co_await use_once(pool, origin());
        EXPECT_EQ(pool.gauges().idle, 1U);
        for (int i = 0; i < 1000 && pool.gauges().idle > 0; ++i) co_await pause(worker, milliseconds(5));
        EXPECT_EQ(pool.gauges().idle, 0U);
      },
      {.idle_timeout = milliseconds(50)});
}

TEST_F(UpstreamPoolTest, NoMoreIdleThanTheLimit) {
  run(
      [&](UpstreamPool& pool, Worker&) -> Task<void> {
        auto a = co_await pool.open(origin(), soon());
        auto b = co_await pool.open(origin(), soon());
        UpstreamConnection one = *std::move(a);
        UpstreamConnection two = *std::move(b);
        one.mark_reusable();
        two.mark_reusable();
        one.release();
        two.release();
        EXPECT_EQ(pool.gauges().idle, 1U);
        pool.close_idle();
        EXPECT_EQ(pool.gauges().idle, 0U);
      },
      {.max_idle_per_origin = 1});
}

TEST_F(UpstreamPoolTest, ALeaseMayOutliveThePool) {
  loop_.run([&](Worker& worker) -> Task<void> {
    ConnectorOptions options;
    options.address_allowed = [](std::span<const std::uint8_t>) { return true; };
    Connector connector(worker, std::move(options));
    auto pool = std::make_unique<UpstreamPool>(worker, connector, UpstreamLimits{});
    auto opened = co_await pool->open(origin(), soon());
    UpstreamConnection connection = *std::move(opened);
    pool.reset();
    co_await ping(connection);
  });
}

TEST_F(UpstreamPoolTest, ErrorsOfTheConnectorComeThrough) {
  std::uint16_t closed = 0;
  ::close(test::listen_on_loopback(1, closed));
  run([&](UpstreamPool& pool, Worker&) -> Task<void> {
    const UpstreamOrigin nowhere = {.host = "127.0.0.1", .port = closed};
    auto opened = co_await pool.open(nowhere, soon());
    EXPECT_FALSE(opened);
    if (!opened) EXPECT_EQ(opened.error().code, ErrorCode::kUpstreamConnect);
    EXPECT_EQ(pool.gauges().busy, 0U);
  });
}

}  // namespace
}  // namespace akr::net
