// least_used.hpp - the key with the fewest turns: exact up to 16 usable keys, the best of 8 random ones above.
#pragma once

#include "core/keys/selection/random_policy.hpp"

namespace akr {

struct LeastUsedRule {
  static std::uint32_t choose(std::span<const KeyView> usable, Random random);
  static void touch_candidates(std::span<const KeyView> usable, Random random);
};
using LeastUsed = RandomPolicy<LeastUsedRule>;

}  // namespace akr
