#include "net/loop/blocking_pool.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.hpp"

namespace akr::net {
namespace {

// Of this thread alone: on Linux each has its own.  A tenth of what a worker gets when both are busy; all that is left
// over besides.
void stand_behind_workers() {
  constexpr int kBehind = 10;
  const auto self = static_cast<id_t>(::gettid());
  ::setpriority(PRIO_PROCESS, self, ::getpriority(PRIO_PROCESS, self) + kBehind);
}

}  // namespace

BlockingPool::BlockingPool(std::size_t threads, GivesWay gives_way) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, gives_way] { work(gives_way); });
}

void BlockingPool::submit(std::function<void()> function) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    return function();  // whoever waits for it must not wait for ever
  }
  queue_.push_back(std::move(function));
  lock.unlock();
  ready_.notify_one();
}

void BlockingPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void BlockingPool::work(GivesWay gives_way) {
  if (gives_way == GivesWay::kYes) stand_behind_workers();
  for (;;) {
    std::function<void()> function;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      function = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      function();
    } catch (const std::exception& failure) {
      log_failure("blocking_work_failed", failure.what());
    }
  }
}

}  // namespace akr::net
