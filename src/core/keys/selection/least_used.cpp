#include "core/keys/selection/least_used.hpp"

#include "core/keys/selection/sampled_best.hpp"

namespace akr {

std::uint32_t LeastUsedRule::choose(std::span<const KeyView> usable, Random random) {
  const std::uint32_t samples = usable.size() <= 16 ? 16 : 8;
  return sampled_best(usable, random, samples, [](const KeyView& a, const KeyView& b) { return a.turns < b.turns; });
}

void LeastUsedRule::touch_candidates(std::span<const KeyView> usable, Random random) {
  touch_samples(usable, random, 8);
}

}  // namespace akr
