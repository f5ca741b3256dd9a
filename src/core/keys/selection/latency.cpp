#include "core/keys/selection/latency.hpp"

#include <cmath>
#include <utility>

namespace akr {
namespace {
constexpr float kTimeConstantSeconds = 10;
constexpr std::uint32_t kExploreOneIn = 32;

float cost(const KeyView& key) { return key.latency_ms * (static_cast<float>(key.in_flight) + 1); }

struct Pair {
  const KeyView& first;
  const KeyView& second;
};

// Two different ones: the same key twice would be no choice.  REQUIRES: at least two usable keys.
Pair draw_pair(std::span<const KeyView> usable, Random& random) {
  const auto count = static_cast<std::uint32_t>(usable.size());
  const std::uint32_t first = random.below(count);
  std::uint32_t second = random.below(count - 1);
  if (second >= first) ++second;
  return {usable[first], usable[second]};
}

}  // namespace

std::uint32_t LatencyRule::choose(std::span<const KeyView> usable, Random random) {
  if (usable.size() == 1) return usable.front().slot;
  const Pair pair = draw_pair(usable, random);
  // The slowest key loses every comparison, and would never be measured again.
  if (random.below(kExploreOneIn) == 0) return pair.first.slot;
  return cost(pair.second) < cost(pair.first) ? pair.second.slot : pair.first.slot;
}

void LatencyRule::touch_candidates(std::span<const KeyView> usable, Random random) {
  const Pair pair = draw_pair(usable, random);
  touch(pair.first);
  touch(pair.second);
}

// Of the ordered pairs that pick() may draw: those in which the key comes first and is no worse, or second and better.
double LatencyRule::share(const KeyView& key, std::span<const KeyView> usable) {
  const auto count = static_cast<double>(usable.size());
  if (usable.size() == 1) return 1.0;
  std::uint64_t won = 0;
  for (const KeyView& other : usable) {
    if (other.slot == key.slot) continue;
    won += (cost(key) <= cost(other) ? 1U : 0U) + (cost(key) < cost(other) ? 1U : 0U);
  }
  constexpr double kBlind = 1.0 / kExploreOneIn;
  return kBlind / count + (1 - kBlind) * static_cast<double>(won) / (count * (count - 1));
}

float peak_ewma(float average_ms, float sample_ms, float since_last_s) {
  if (sample_ms >= average_ms) return sample_ms;
  const float keep = std::exp(-since_last_s / kTimeConstantSeconds);
  return average_ms * keep + sample_ms * (1 - keep);
}

}  // namespace akr
