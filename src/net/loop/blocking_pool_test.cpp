#include "net/loop/blocking_pool.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/run_on_worker.hpp"

namespace akr::net {
namespace {

TEST(BlockingPool, RunsElsewhereAndResumesOnTheWorker) {
  BlockingPool pool(2);
  test::WorkerThread loop;
  loop.run([&](Worker& worker) -> Task<void> {
    const auto here = std::this_thread::get_id();
    auto work = [] { return std::this_thread::get_id(); };
    const auto there = co_await pool.run(worker, std::move(work));
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
}

// An import took whole slices of the processor that a worker needed: the slowest of a hundred requests waited 3 ms
// more.
TEST(BlockingPool, GivesWayIfItShall) {
  test::WorkerThread loop;
  const auto nice = [&loop](BlockingPool& pool) {
    return loop.run([&](Worker& worker) -> Task<int> {
      auto work = [] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); };
      co_return co_await pool.run(worker, std::move(work));
    });
  };
  BlockingPool like_workers(1), behind_them(1, GivesWay::kYes);
  const int own = ::getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(nice(like_workers), own);
  EXPECT_EQ(nice(behind_them), std::min(own + 10, 19));
}

TEST(BlockingPool, ResultsMayBeMoveOnly) {
  BlockingPool pool(1);
  test::WorkerThread loop;
  const int value = loop.run([&](Worker& worker) -> Task<int> {
    auto work = [] { return std::make_unique<int>(7); };
    const std::unique_ptr<int> made = co_await pool.run(worker, std::move(work));
    co_return *made;
  });
  EXPECT_EQ(value, 7);
}

// An exception on the pool's thread ended the process, and with a guard there the request would have waited for ever.
TEST(BlockingPool, AnExceptionReachesWhoeverWaits) {
  BlockingPool pool(1);
  test::WorkerThread loop;
  const bool caught = loop.run([&](Worker& worker) -> Task<bool> {
    auto work = []() -> int { throw std::bad_alloc(); };
    try {
      co_await pool.run(worker, std::move(work));
    } catch (const std::bad_alloc&) {
      co_return true;
    }
    co_return false;
  });
  EXPECT_TRUE(caught);
}

TEST(BlockingPool, StopRunsWhatWasSubmitted) {
  std::atomic<int> ran = 0;
  {
    BlockingPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.submit([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(BlockingPool, WhatComesAfterItsStopIsRunAllTheSame) {
  BlockingPool pool(1);
  pool.stop();
  test::WorkerThread loop;
  const int value = loop.run([&](Worker& worker) -> Task<int> {
    auto work = [] { return 7; };
    const int made = co_await pool.run(worker, std::move(work));
    co_return made;
  });
  EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace akr::net
