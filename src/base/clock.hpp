// clock.hpp - the two times we need: one that only goes forward, one that people and providers write down.
#pragma once

#include <chrono>

namespace akr {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // deadlines, cooldowns, latencies
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;  // logs, tokens, dates

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

// The process's real clock.
const Clock& system_clock();

}  // namespace akr
