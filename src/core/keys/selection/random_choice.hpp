// random_choice.hpp - any usable key, each as likely as the others.
#pragma once

#include "core/keys/selection/random_policy.hpp"

namespace akr {

struct RandomRule {
  static std::uint32_t choose(std::span<const KeyView> usable, Random random) { return candidate(usable, random).slot; }
  static void touch_candidates(std::span<const KeyView> usable, Random random) { touch(candidate(usable, random)); }
  static double share(const KeyView&, std::span<const KeyView> usable) {
    return 1.0 / static_cast<double>(usable.size());
  }

 private:
  static const KeyView& candidate(std::span<const KeyView> usable, Random& random) {
    return usable[random.below(static_cast<std::uint32_t>(usable.size()))];
  }
};
using RandomChoice = RandomPolicy<RandomRule>;

}  // namespace akr
