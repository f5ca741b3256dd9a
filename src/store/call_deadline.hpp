// call_deadline.hpp - bounds what a thread waits for a database server in several calls together.
//
// One call has a deadline of its own (StoreOptions::deadline).  A request that makes five has five times as long,
// unless it says when all of them must have ended.
#pragma once

#include <chrono>

namespace akr {

class CallDeadline {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Calls of this thread that begin while it lives end by then, or before if one around it says so.
  explicit CallDeadline(Time end);
  ~CallDeadline();
  CallDeadline(const CallDeadline&) = delete;
  CallDeadline& operator=(const CallDeadline&) = delete;

  static Time of_this_thread();  // Time::max(): none
  // What is about to be done takes so much longer than usual, and what comes after it comes later.
  static void allow_more(std::chrono::steady_clock::duration time);

 private:
  const Time before_;
};

}  // namespace akr
