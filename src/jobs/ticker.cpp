#include "jobs/ticker.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.hpp"

namespace akr {

// A condition variable needs the standard mutex; everything but the three constants is guarded by it.
struct Ticker::State {
  State(std::string title, Duration every, std::function<void()> what)
      : name(std::move(title)), period(every), work(std::move(what)) {}

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      changed.wait_for(lock, period, [this] { return stopping; });
      if (stopping) return;
      lock.unlock();
      call();
      lock.lock();
    }
  }

  void call() {
    try {
      work();
    } catch (const std::bad_alloc& failure) {
      log_failure("background_work_failed", failure.what());
    } catch (const std::exception& bug) {
      // Expected failures are values; this is a bug, and no reason to stop the background work for good.
      log_error("background_work_failed", {{"name", name}, {"what", bug.what()}});
    }
  }

  const std::string name;
  const Duration period;
  const std::function<void()> work;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  std::thread thread;
};

Ticker::Ticker(std::string name, Duration period, std::function<void()> work)
    : state_(std::make_unique<State>(std::move(name), period, std::move(work))) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Ticker::~Ticker() { stop(); }

void Ticker::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_one();
  }
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace akr
