// random_policy.hpp - base of the policies that look at random keys; in a large pool their numbers are drawn some
// picks ahead, so that the candidates are in the cache when they are compared.
//
// The numbers are drawn ahead, not the choice: that is made at its turn, among the keys as they then are.
#pragma once

#include <algorithm>
#include <array>

#include "core/keys/selection/selection_policy.hpp"

namespace akr {

inline void touch(const KeyView& key) { __builtin_prefetch(&key, 1); }

// `Rule` has, both static:
//   std::uint32_t choose(std::span<const KeyView> usable, Random random)  - the slot, and
//   void touch_candidates(std::span<const KeyView> usable, Random random) - prefetches what choose() would look at;
// and, if the choice is to be told as a chance: double share(const KeyView& key, std::span<const KeyView> usable).
template <class Rule>
class RandomPolicy final : public SelectionPolicy {
 public:
  std::uint32_t pick(std::span<const KeyView> usable, Random& random) override {
    if (usable.size() < kWorthForesight) {
      foresight_ = kNoForesight;
      return Rule::choose(usable, Random(random.next()));
    }
    if (!drawn_) {
      for (std::uint64_t& seed : seeds_) seed = random.next();
      drawn_ = true;
    }
    const std::uint64_t own = seeds_[0];
    std::shift_left(seeds_.begin(), seeds_.end(), 1);
    seeds_.back() = random.next();
    Rule::touch_candidates(usable, Random(seeds_.back()));
    std::shift_left(foresight_.begin(), foresight_.end(), 1);
    foresight_.back() = Rule::choose(usable, Random(seeds_[kTurnsAhead - 1]));
    return Rule::choose(usable, Random(own));
  }
  std::unique_ptr<SelectionPolicy> clone() const override { return std::make_unique<RandomPolicy>(*this); }
  std::optional<double> share(const KeyView& key, std::span<const KeyView> usable) const override {
    if constexpr (requires { Rule::share(key, usable); }) return Rule::share(key, usable);
    return std::nullopt;
  }

 private:
  bool drawn_ = false;
  std::array<std::uint64_t, kTurnsAhead + 1> seeds_ = {};  // of the next picks' own numbers
};

}  // namespace akr
