#include "core/selection/latency.hpp"

#include <cmath>
#include <utility>

namespace akr {
namespace {
constexpr float kTimeConstantSeconds = 10;
constexpr std::uint32_t kExploreOneIn = 32;

float cost(const KeyView& key) { return key.latency_ms * (static_cast<float>(key.in_flight) + 1); }
}  // namespace

std::uint32_t Latency::pick(std::span<const KeyView> usable, Random& random) {
  const auto count = static_cast<std::uint32_t>(usable.size());
  if (count == 1) return usable.front().slot;
  const std::uint32_t first = random.below(count);
  // The slowest key loses every comparison, and would never be measured again.
  if (random.below(kExploreOneIn) == 0) return usable[first].slot;
  // Two different ones: the same key twice would be no choice.
  std::uint32_t second = random.below(count - 1);
  if (second >= first) ++second;
  return cost(usable[second]) < cost(usable[first]) ? usable[second].slot : usable[first].slot;
}

// Of the ordered pairs that pick() may draw: those in which the key comes first and is no worse, or second and better.
std::optional<double> Latency::share(const KeyView& key, std::span<const KeyView> usable) const {
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
