// count_up.hpp - counts what is under way: one more while it lives, however its scope or coroutine ends.
#pragma once

namespace akr {

class CountUp {
 public:
  explicit CountUp(int& counter) : counter_(counter) { ++counter_; }
  CountUp(const CountUp&) = delete;
  CountUp& operator=(const CountUp&) = delete;
  ~CountUp() { --counter_; }

 private:
  int& counter_;
};

}  // namespace akr
