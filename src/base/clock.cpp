#include "base/clock.hpp"

namespace akr {

const Clock& system_clock() {
  static const SystemClock kClock;
  return kClock;
}

}  // namespace akr
