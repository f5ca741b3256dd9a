// The part of a run that counts: after a warm-up, for a fixed time, together with the processor time that watched
// processes (the proxy under test) spent in exactly that time.
#pragma once

#include <cstdint>
#include <vector>

#include "report.hpp"

namespace akr::bench {

class Window {
 public:
  // `seconds` 0 or less: until stop() is called.
  Window(double warmup_seconds, double seconds, std::vector<int> watched);

  // The first call starts the warm-up; later calls open and close the window when their time has come.
  void tick(std::int64_t now_ns);

  // Opens the window now, whatever is left of the warm-up; closes it now.
  void open_now();
  void stop();

  bool is_open() const { return opened_ns_ != 0 && closed_ns_ == 0; }
  bool is_over() const { return closed_ns_ != 0; }

  // When tick() has something to do next; negative: never.
  std::int64_t next_change_ns() const;

  double elapsed_seconds() const;
  std::int64_t cpu_us() const { return cpu_us_; }

  // Adds seconds and, if processes are watched, cpu_us.
  void add_to(Report& report) const;

 private:
  std::int64_t warmup_ns_;
  std::int64_t length_ns_;
  std::vector<int> watched_;
  std::int64_t open_at_ns_ = 0;
  std::int64_t opened_ns_ = 0;
  std::int64_t closed_ns_ = 0;
  std::int64_t cpu_us_ = 0;
};

}  // namespace akr::bench
