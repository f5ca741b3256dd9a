// sampled_best.hpp - the best of a few keys: all of them in a small pool, a random handful in a large one.
//
// Looking at two or more random candidates is enough to keep a large pool level (the "power of two choices"), and
// keeps pick() at the same cost for 100 and for 1,000,000 keys.
#pragma once

#include <algorithm>

#include "core/keys/selection/random_policy.hpp"

namespace akr {

// `better(a, b)`: a is to be preferred.  Ties go to a random one, or the first key of the array would get them all.
template <class Better>
std::uint32_t sampled_best(std::span<const KeyView> usable, Random random, std::uint32_t samples, Better better) {
  const auto count = static_cast<std::uint32_t>(usable.size());
  const bool all = count <= samples;
  std::uint32_t at = random.below(count);
  const KeyView* best = &usable[at];
  for (std::uint32_t i = 1; i < std::min(count, samples); ++i) {
    at = all ? (at + 1 == count ? 0 : at + 1) : random.below(count);
    if (better(usable[at], *best)) best = &usable[at];
  }
  return best->slot;
}

// The candidates that sampled_best() will look at, if neither `random` nor the number of keys changes until then.
inline void touch_samples(std::span<const KeyView> usable, Random random, std::uint32_t samples) {
  for (std::uint32_t i = 0; i < samples; ++i) touch(usable[random.below(static_cast<std::uint32_t>(usable.size()))]);
}

}  // namespace akr
