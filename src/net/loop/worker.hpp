// worker.hpp - one thread, one epoll loop: sockets, deadlines, posted functions, coroutines.
//
// Everything but post(), stop() and the constructor belongs to the thread that is inside run().  A connection, its
// request and its upstream connections live and die on one worker, so none of them needs a lock.
//
// A turn: the events, what is due, and then the lagging sockets (their budget of an earlier turn was used up), oldest
// first, for as long as a slice of time allows, at least one.  So those who keep us busy share what the others leave.
#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <functional>
#include <vector>

#include <sys/epoll.h>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "net/loop/socket.hpp"
#include "net/loop/task.hpp"
#include "net/loop/timer_wheel.hpp"

namespace akr::net {

class Worker {
 public:
  explicit Worker(int index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  int index() const { return index_; }
  // Runs until stop(); on the way out wakes every waiter with kCancelled, so that all coroutines end.
  void run();
  void stop();  // any thread
  // Any thread; runs in the loop, in order.  Never fails: somebody waits for what was posted, so without memory for the
  // queue it waits until there is some.
  void post(std::function<void()> function);

  TimePoint now() const { return now_; }  // taken once per turn of the loop
  void refresh_now() { now_ = std::chrono::steady_clock::now(); }
  std::uint64_t turn() const { return turn_; }  // of the loop
  TimerWheel& timers() { return timers_; }

  // Starts a coroutine that nobody awaits; it frees itself at its end.  An exception that leaves it is logged.
  void spawn(Task<void> task);
  // Resumes `handle` later in this turn.  With `co_await worker.yield()` a busy coroutine lets the others run.
  void resume_soon(std::coroutine_handle<> handle) { soon_.push_back(handle); }
  auto yield() {
    struct Awaiter {
      Worker& worker;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> handle) const { worker.resume_soon(handle); }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

  // Names what may be given up when this process runs out of descriptors: one idle connection per call; false = none.
  void on_shortage(std::function<bool()> give_up) { give_up_ = std::move(give_up); }
  bool make_room() { return give_up_ && give_up_(); }

  // Has this turn of the loop brought news of `socket` that is still to be handled?
  bool event_pending(const Socket& socket) const;

 private:
  friend class Socket;
  friend class Waiter;
  static constexpr int kBatch = 256;
  static constexpr std::chrono::microseconds kSlice{1000};  // for the lagging, per turn

  bool try_post(std::function<void()>& function);
  void set_alarm();
  void add(Socket& socket);
  void remove(Socket& socket);
  void dispatch(int count);
  void run_posted();
  void run_soon();
  void run_lagging();
  void add_lagging(Socket& socket);
  void remove_lagging(Socket& socket);
  void cancel_all();

  const int index_;
  int epoll_ = -1;
  int wake_ = -1;                          // eventfd
  int alarm_ = -1;                         // timerfd
  TimePoint alarm_at_ = TimePoint::max();  // when it rings; never later than the first deadline while we wait
  std::atomic<bool> stopping_{false};
  TimePoint now_;
  std::uint64_t turn_ = 0;
  TimerWheel timers_;
  std::array<epoll_event, kBatch> batch_ = {};
  int batch_at_ = 0;  // the event being handled
  int batch_size_ = 0;
  Socket* sockets_ = nullptr;
  std::function<bool()> give_up_;
  Socket* lagging_ = nullptr;  // the first
  Socket* last_lagging_ = nullptr;
  std::vector<std::coroutine_handle<>> soon_;
  std::vector<std::coroutine_handle<>> soon_running_;
  Mutex mutex_;
  std::vector<std::function<void()>> posted_ GUARDED_BY(mutex_);
};

}  // namespace akr::net
