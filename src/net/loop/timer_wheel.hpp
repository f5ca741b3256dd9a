// timer_wheel.hpp - all deadlines of a worker: O(1) to arm and to cancel, 16 ms coarse.
//
// One thread.  A node is linked while it waits and unlinks itself when destroyed.  Deadlines beyond the horizon (32 s)
// are parked at the horizon and moved on when it arrives.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace akr::net {

class TimerWheel;

class TimerNode {
 public:
  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  ~TimerNode() { unlink(); }
  bool armed() const { return next_ != nullptr; }
  void unlink();

 protected:
  // Called on the worker's thread once the deadline has passed; the node is unlinked already.
  virtual void on_deadline() = 0;
  // The same at shutdown, due or not.
  virtual void on_stop() { on_deadline(); }

 private:
  friend class TimerWheel;
  TimerNode* prev_ = nullptr;
  TimerNode* next_ = nullptr;
  TimePoint deadline_{};
};

class TimerWheel {
 public:
  explicit TimerWheel(TimePoint now);
  void arm(TimerNode& node, TimePoint deadline);  // moves the node if it is armed
  // Fires what is due; at most kMostAtOnce of what is due in one tick, the rest in the next call: a crowd that
  // connected at one time must not stop the loop when its time is over.
  void advance(TimePoint now);
  // When advance() may next have something to do; TimePoint::max() if nothing is armed.
  TimePoint next_due();
  // Stops everything that is armed, due or not (shutdown).  False if there was nothing.
  bool stop_all();

 private:
  static constexpr std::chrono::milliseconds kTick{16};
  static constexpr std::size_t kSlots = 2048;
  static constexpr int kMostAtOnce = 256;

  struct Head final : TimerNode {
    void on_deadline() override {}
  };

  std::int64_t tick_of(TimePoint time) const { return time.time_since_epoch() / kTick; }
  void link(TimerNode& node);
  bool fire_slot(std::size_t slot, TimePoint now, int most);  // false: there are more
  void take_slot(std::size_t slot, Head& due);                // moves its nodes to `due`
  void put_back(std::size_t slot, Head& due);                 // before those that came to the slot meanwhile

  std::array<Head, kSlots> slots_;
  std::array<std::uint64_t, kSlots / 64> occupied_ = {};  // may be stale (set, but empty); never the other way round
  std::int64_t current_tick_;                             // all ticks up to this one have fired
};

}  // namespace akr::net
