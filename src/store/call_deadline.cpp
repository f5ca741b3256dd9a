#include "store/call_deadline.hpp"

#include <algorithm>

namespace akr {
namespace {

thread_local CallDeadline::Time current = CallDeadline::Time::max();

}  // namespace

CallDeadline::CallDeadline(Time end) : before_(current) { current = std::min(current, end); }

CallDeadline::~CallDeadline() { current = before_; }

CallDeadline::Time CallDeadline::of_this_thread() { return current; }

void CallDeadline::allow_more(std::chrono::steady_clock::duration time) {
  if (current != Time::max()) current += time;
}

}  // namespace akr
