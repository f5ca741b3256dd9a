#include "net/loop/task.hpp"

#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/run_on_worker.hpp"

namespace akr::net {
namespace {

using test::WorkerThread;

Task<int> twice(int value) { co_return value * 2; }

Task<std::unique_ptr<std::string>> made(std::string text) { co_return std::make_unique<std::string>(std::move(text)); }

Task<int> failing() {
  throw std::runtime_error("on purpose");
  co_return 0;
}

Task<int> sum(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await sum(depth - 1);
  co_return below + 1;
}

TEST(Task, ReturnsValuesAndMoveOnlyObjects) {
  WorkerThread loop;
  const auto body = [](Worker&) -> Task<std::string> {
    const int number = co_await twice(21);
    const std::unique_ptr<std::string> text = co_await made("x");
    co_return *text + std::to_string(number);
  };
  EXPECT_EQ(loop.run(body), "x42");
}

TEST(Task, ExceptionLeavesThroughTheAwait) {
  WorkerThread loop;
  const auto body = [](Worker&) -> Task<std::string> {
    try {
      co_await failing();
    } catch (const std::runtime_error& failure) {
      co_return failure.what();
    }
    co_return "no exception";
  };
  EXPECT_EQ(loop.run(body), "on purpose");
  EXPECT_THROW(loop.run([](Worker&) { return failing(); }), std::runtime_error);
}

// Resuming by symmetric transfer: the stack does not grow with the number of awaits.
TEST(Task, AMillionAwaitsNeedNoStack) {
  WorkerThread loop;
  const auto body = [](Worker&) -> Task<long> {
    long total = 0;
    for (int i = 0; i < 1'000'000; ++i) total += co_await twice(1);
    co_return total;
  };
  EXPECT_EQ(loop.run(body), 2'000'000);
}

TEST(Task, DeepNesting) {
  WorkerThread loop;
  EXPECT_EQ(loop.run([](Worker&) { return sum(10'000); }), 10'000);
}

TEST(Task, NeverAwaitedTaskFreesItsArguments) {
  const auto shared = std::make_shared<int>(1);
  const auto body = [](std::shared_ptr<int> held) -> Task<int> { co_return *held; };
  {
    const Task<int> task = body(shared);
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace akr::net
