// latency.hpp - of two random keys the one that promises the earlier answer: peak EWMA of the time to the first byte,
// times the attempts it would then have.  A key without a measurement goes first, so that it gets one;
// one pick in 32 is blind, so that a slow key is measured again.
#pragma once

#include "core/keys/selection/random_policy.hpp"

namespace akr {

struct LatencyRule {
  static std::uint32_t choose(std::span<const KeyView> usable, Random random);
  static void touch_candidates(std::span<const KeyView> usable, Random random);
  static double share(const KeyView& key, std::span<const KeyView> usable);
};
using Latency = RandomPolicy<LatencyRule>;

// The average after one more sample, `since_last` later.  Jumps up at once and comes down with a time constant of
// 10 s: a key that became slow is noticed by the next request.
float peak_ewma(float average_ms, float sample_ms, float since_last_s);

}  // namespace akr
