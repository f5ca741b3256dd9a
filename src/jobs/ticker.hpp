// ticker.hpp - a thread that does one thing every so often.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"

namespace akr {

class Ticker {
 public:
  // Calls `work` on a thread of its own every `period`, first after one period.  A call that throws is logged under
  // `name`, and the next one comes as usual.
  Ticker(std::string name, Duration period, std::function<void()> work);
  ~Ticker();  // stop()

  // Waits for a running call; none begins afterwards.  May be called twice, not from `work`.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace akr
