// socket.hpp - a non-blocking descriptor registered once (edge-triggered) with its worker, and what can be awaited on
// it.
//
// Pattern: try the operation; when it says would_block, `co_await wait_for({socket, kRead}, deadline)`; try again.
// Readiness is sticky: an edge that arrived while nobody waited is not lost.  One coroutine waits on a socket at a
// time. Belongs to one worker thread.  Closing wakes the waiter with kCancelled.
//
// The same pattern keeps one peer from stopping the others: a socket has a budget of work per turn of the loop, which
// its operations and whoever calls charge() draw on.  When it is used up, may_work() and so every operation says
// would_block, however much is ready, and the wait ends in a later turn, after the events of the others ("lagging",
// worker.hpp).  No loop over try_*() can forget it; loops over work of another kind charge() and ask may_work().
#pragma once

#include <coroutine>
#include <cstdint>
#include <span>
#include <string>

#include <sys/uio.h>

#include "base/clock.hpp"
#include "net/loop/timer_wheel.hpp"

namespace akr::net {

class Worker;
class Socket;

// What work costs, in bytes: about what the same time would copy.  (docs/decisions/0011-fair-turns.md)
namespace cost {
constexpr std::int64_t kTurn = 512 * 1024;  // the budget
constexpr std::int64_t kFirstTurn =
    64 * 1024;                                 // of a socket that was just made: a connection costs nothing to its peer
constexpr std::int64_t kOperation = 4096;      // a system call, or a TLS record
constexpr std::int64_t kRequest = 256 * 1024;  // a request that ended
constexpr std::int64_t kConnection = 16 * 1024;  // accepted
constexpr std::int64_t kChunk = 128;             // of a body
}  // namespace cost

enum Ready : std::uint8_t {
  kRead = 1,
  kWrite = 2,
  kHangup = 4,  // the peer closed its sending side, or the connection died
};

enum class IoStatus : std::uint8_t { kOk, kWouldBlock, kEof, kError };

struct IoResult {
  IoStatus status = IoStatus::kOk;
  std::uint8_t want = 0;  // kWouldBlock: the readiness to wait for (TLS may need kWrite to read)
  int error = 0;          // kError: errno; -1 for TLS
  std::size_t bytes = 0;
};

enum class WaitEnd : std::uint8_t { kReady, kTimeout, kCancelled };

// Something that waits for up to two sockets and a deadline; fires exactly once per registration.
class Waiter : public TimerNode {
 public:
  Waiter() = default;
  ~Waiter() { detach(); }
  // Registers; the sockets must live until it fires or is detached.
  void watch(Socket& socket, std::uint8_t interest);
  void detach();
  void fire(WaitEnd end);

 protected:
  virtual void on_fire(WaitEnd end) = 0;  // detached already
  void on_deadline() override { fire(WaitEnd::kTimeout); }
  void on_stop() override { fire(WaitEnd::kCancelled); }
  // What it waits for may be there, but the budget of `socket` (watched) is used up: it fires in a later turn.
  void lag(Socket& socket);

 private:
  friend class Socket;
  Socket* sockets_[2] = {nullptr, nullptr};
  bool lags_ = false;
};

class Socket {
 public:
  Socket() = default;
  // Takes ownership of a non-blocking `fd` and registers it.
  Socket(Worker& worker, int fd);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }

  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  Worker& worker() const { return *worker_; }
  void close();        // wakes a waiter with kCancelled
  void close_reset();  // the same with RST, so that a cut cannot look like a clean end
  void cancel();       // wakes a waiter with kCancelled, keeps the descriptor

  IoResult try_read(char* data, std::size_t size);
  // Asks the kernel, whatever the readiness bits and the budget say: open, and not a byte or an end to read.
  bool quiet() const;
  IoResult try_write(const iovec* parts, int count);

  std::uint8_t ready() const { return ready_; }
  void clear_ready(std::uint8_t bits) { ready_ = static_cast<std::uint8_t>(ready_ & ~bits); }
  bool hung_up() const { return (ready_ & kHangup) != 0; }
  bool dead() const { return dead_; }  // EPOLLERR or EPOLLHUP was seen: both directions are gone

  // Is anything left of the budget?  If not, say would_block with `want`: a wait for it ends in a later turn.
  bool may_work(std::uint8_t want) { return budget_ > 0 || refill(want); }
  void charge(std::int64_t work) { budget_ -= work; }
  // Work whose size only the clock knows.
  void charge_time(Duration spent) { charge(spent / std::chrono::microseconds(1) * 1024); }
  // For the few bytes that end something, and that nobody would try again.
  void allow_last_words() { budget_ = budget_ > 0 ? budget_ : 1; }
  // Makes the next wait for `want` end in a later turn, as if the budget were used up.
  void stand_back(std::uint8_t want) { refused_ = static_cast<std::uint8_t>(refused_ | want); }
  // Did may_work(want) say no since the last wait for it?
  bool refused(std::uint8_t want) const { return (refused_ & want) != 0; }

 private:
  friend class Worker;
  friend class Waiter;
  friend class WaitAwaiter;
  void on_event(std::uint32_t events);
  bool refill(std::uint8_t want);

  Worker* worker_ = nullptr;
  Waiter* waiter_ = nullptr;
  Socket* prev_ = nullptr;  // the worker's list of open sockets
  Socket* next_ = nullptr;
  int fd_ = -1;
  std::uint8_t ready_ = 0;
  std::uint8_t interest_ = 0;
  std::uint8_t refused_ = 0;
  bool dead_ = false;
  bool lagging_ = false;
  std::int64_t budget_ = cost::kFirstTurn;
  std::uint64_t turn_ = 0;           // when the budget was filled
  std::uint64_t lagging_since_ = 0;  // a turn
  Socket* lag_prev_ = nullptr;       // the worker's list of lagging sockets
  Socket* lag_next_ = nullptr;
};

struct Watch {
  Socket* socket = nullptr;
  std::uint8_t interest = 0;
};

// Awaits until one of the watched sockets is ready, or the deadline.  TimePoint::max() = no deadline.  A wait that
// begins after its deadline ends with kTimeout whatever is ready: a peer that is always ready does not outlive it.
class [[nodiscard]] WaitAwaiter final : public Waiter {
 public:
  WaitAwaiter(Worker& worker, Watch first, Watch second, TimePoint deadline)
      : worker_(worker), first_(first), second_(second), deadline_(deadline) {}
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  WaitEnd await_resume() const { return end_; }

 private:
  void on_fire(WaitEnd end) override;
  void suspend_otherwise();
  Worker& worker_;
  Watch first_;
  Watch second_;
  TimePoint deadline_;
  std::coroutine_handle<> handle_ = nullptr;
  WaitEnd end_ = WaitEnd::kReady;
  bool refused_ = false;  // a budget that it needs is used up
};

inline WaitAwaiter wait_for(Socket& socket, std::uint8_t interest, TimePoint deadline) {
  return WaitAwaiter(socket.worker(), {&socket, interest}, {}, deadline);
}
inline WaitAwaiter wait_for_any(Watch first, Watch second, TimePoint deadline) {
  return WaitAwaiter(first.socket->worker(), first, second, deadline);
}
WaitAwaiter sleep_until(Worker& worker, TimePoint deadline);

}  // namespace akr::net
