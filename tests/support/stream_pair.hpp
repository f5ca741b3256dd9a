// stream_pair.hpp - a Stream on a worker whose other end the test holds as a plain descriptor.
#pragma once

#include <chrono>
#include <functional>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/stream.hpp"
#include "tests/support/run_on_worker.hpp"

namespace akr::test {

class StreamPair : public testing::Test {
 protected:
  StreamPair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_), 0); }
  ~StreamPair() override { ::close(ends_[1]); }
  void run(const std::function<net::Task<void>(net::Stream&)>& look) {
    loop_.run([&](net::Worker& worker) -> net::Task<void> {
      const auto stream = net::make_tcp_stream(worker, ends_[0]);
      co_await look(*stream);
    });
  }
  static TimePoint soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }

  int ends_[2] = {-1, -1};  // the second one is the test's; non-blocking
  WorkerThread loop_;
};

}  // namespace akr::test
