// blocking_pool.hpp - a few threads for what blocks: the store, password hashes, large bodies on disk.  The data plane
// never waits here.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "net/loop/worker.hpp"

namespace akr::net {

// Shall its threads give way to the workers where both want the same processor?  An import of 100,000 keys computes for
// seconds, and each slice of a processor that it takes is milliseconds for every request there.  A hint.
enum class GivesWay : bool { kNo, kYes };

class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads, GivesWay gives_way = GivesWay::kNo);
  ~BlockingPool() { stop(); }
  void submit(std::function<void()> function);  // any thread; after stop() the caller's own runs it, at once
  void stop();                                  // runs what was submitted, then joins

  // `co_await pool.run(worker, function)`: runs it on a thread of the pool and resumes on the worker with its result.
  // An exception of `function` leaves through the co_await, on the worker: somebody waits there for an answer.
  template <class F>
  auto run(Worker& worker, F function) {
    return Run<F>{*this, worker, std::move(function)};
  }

 private:
  template <class F>
  struct Run {
    BlockingPool& pool;
    Worker& worker;
    F function;
    std::optional<std::invoke_result_t<F>> result = {};
    std::exception_ptr failure = {};

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      pool.submit([this, handle] {
        try {
          result.emplace(function());
        } catch (...) {
          failure = std::current_exception();
        }
        worker.post([handle] { handle.resume(); });
      });
    }
    auto await_resume() {
      if (failure) std::rethrow_exception(failure);
      return *std::move(result);
    }
  };
  void work(GivesWay gives_way);

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace akr::net
