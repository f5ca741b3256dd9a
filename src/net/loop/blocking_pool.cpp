#include "net/loop/blocking_pool.hpp"

#include "base/log.hpp"

namespace akr::net {

BlockingPool::BlockingPool(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

void BlockingPool::submit(std::function<void()> function) {
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    stopped = stopping_;
    if (!stopped) queue_.push_back(std::move(function));
  }
  if (stopped) return function();  // whoever waits for it must not wait for ever
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

void BlockingPool::work() {
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
