// run_on_worker.hpp - a Worker on a thread of its own, and a way to run a coroutine on it to its end.
//
//   WorkerThread loop;
//   const auto body = [&](net::Worker& worker) -> net::Task<int> { ... co_return 7; };
//   EXPECT_EQ(loop.run(body), 7);
//
// What a coroutine uses of the worker (sockets, resolvers) has to be made and destroyed inside of it.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "net/loop/task.hpp"
#include "net/loop/worker.hpp"

namespace akr::test {

class WorkerThread {
 public:
  WorkerThread() : worker_(0), thread_([this] { worker_.run(); }) {}
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  ~WorkerThread() { stop(); }

  net::Worker& worker() { return worker_; }

  // Wakes what still waits with kCancelled and joins the thread.
  void stop() {
    if (!thread_.joinable()) return;
    worker_.stop();
    thread_.join();
  }

  // Runs `body(worker)`, a callable that returns Task<T>, and returns or throws what it does.  `body` and what it
  // captured live until its end.  Ends the process when that takes longer than `limit`: its frame cannot be taken back.
  template <class Body>
  auto run(Body body, std::chrono::seconds limit = std::chrono::seconds(30)) {
    using Value = decltype(body(worker_).await_resume());
    auto promise = std::make_shared<std::promise<Value>>();
    std::future<Value> future = promise->get_future();
    worker_.post([this, &body, promise] { worker_.spawn(finish<Value>(body, worker_, promise)); });
    if (future.wait_for(limit) != std::future_status::ready) {
      std::fputs("run_on_worker: the coroutine does not end\n", stderr);
      std::abort();
    }
    return future.get();
  }

 private:
  template <class Value, class Body>
  static net::Task<void> finish(Body& body, net::Worker& worker, std::shared_ptr<std::promise<Value>> promise) {
    std::exception_ptr failure;
    try {
      if constexpr (std::is_void_v<Value>) {
        co_await body(worker);
        promise->set_value();
      } else {
        std::optional<Value> value;
        value.emplace(co_await body(worker));
        promise->set_value(std::move(*value));
      }
      co_return;
    } catch (...) {
      failure = std::current_exception();
    }
    promise->set_exception(failure);
  }

  net::Worker worker_;
  std::thread thread_;
};

}  // namespace akr::test
