// manual_clock.hpp - a Clock that stands still until a test moves it.  Both times move together.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.hpp"

namespace akr {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime(std::chrono::milliseconds(1'795'000'000'000))) : start_(start) {}

  TimePoint now() const override { return TimePoint(kSteadyStart + Duration(elapsed_.load())); }
  WallTime wall() const override {
    return start_ + std::chrono::duration_cast<std::chrono::milliseconds>(Duration(elapsed_.load()));
  }

  void advance(Duration by) { elapsed_ += by.count(); }

 private:
  // Not zero, so that "long ago" can be before the start.
  static constexpr Duration kSteadyStart = std::chrono::hours(1000);
  const WallTime start_;
  std::atomic<Duration::rep> elapsed_ = 0;
};

}  // namespace akr
