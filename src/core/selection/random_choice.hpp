// random_choice.hpp - any usable key, each as likely as the others.
#pragma once

#include "core/selection/selection_policy.hpp"

namespace akr {

class RandomChoice final : public SelectionPolicy {
 public:
  std::uint32_t pick(std::span<const KeyView> usable, Random& random) override {
    return usable[random.below(static_cast<std::uint32_t>(usable.size()))].slot;
  }
  std::optional<double> share(const KeyView&, std::span<const KeyView> usable) const override {
    return 1.0 / static_cast<double>(usable.size());
  }
};

}  // namespace akr
