// least_in_flight.hpp - the key with the fewest running attempts, of equal ones the one with the fewest turns.
// Exact up to 16 usable keys, the best of 8 random ones above.
#pragma once

#include "core/selection/selection_policy.hpp"

namespace akr {

class LeastInFlight final : public SelectionPolicy {
 public:
  std::uint32_t pick(std::span<const KeyView> usable, Random& random) override;
};

}  // namespace akr
