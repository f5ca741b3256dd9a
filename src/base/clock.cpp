#include "base/clock.hpp"

namespace akr {

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace akr
