// least_used.hpp - the key with the fewest turns: exact up to 16 usable keys, the best of 8 random ones above.
#pragma once

#include "core/selection/selection_policy.hpp"

namespace akr {

class LeastUsed final : public SelectionPolicy {
 public:
  std::uint32_t pick(std::span<const KeyView> usable, Random& random) override;
};

}  // namespace akr
