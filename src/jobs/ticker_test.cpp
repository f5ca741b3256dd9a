#include "jobs/ticker.hpp"

#include <atomic>
#include <semaphore>
#include <stdexcept>

#include <gtest/gtest.h>

namespace akr {
namespace {

using namespace std::chrono_literals;

TEST(Ticker, CallsAgainAndAgainAlsoAfterAnException) {
  std::counting_semaphore<1000> called(0);
  Ticker ticker("test", 1ms, [&] {
    called.release();
    throw std::runtime_error("a bug");
  });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(called.try_acquire_for(10s));
}

TEST(Ticker, StopDoesNotWaitForThePeriod) {
  const auto began = std::chrono::steady_clock::now();
  Ticker ticker("test", 1h, [] {});
  ticker.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1min);
}

TEST(Ticker, NothingIsCalledAfterStop) {
  std::atomic<int> calls = 0;
  Ticker ticker("test", 1h, [&] { ++calls; });
  ticker.stop();
  ticker.stop();
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace akr
