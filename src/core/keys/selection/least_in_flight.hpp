// least_in_flight.hpp - the key with the fewest running attempts, of equal ones the one with the fewest turns.
// Exact up to 16 usable keys, the best of 8 random ones above.
#pragma once

#include "core/keys/selection/random_policy.hpp"

namespace akr {

struct LeastInFlightRule {
  static std::uint32_t choose(std::span<const KeyView> usable, Random random);
  static void touch_candidates(std::span<const KeyView> usable, Random random);
};
using LeastInFlight = RandomPolicy<LeastInFlightRule>;

}  // namespace akr
