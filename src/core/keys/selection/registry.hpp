// registry.hpp - all selection policies, by the name that is stored and shown.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/keys/selection/selection_policy.hpp"

namespace akr {

struct PolicyEntry {
  std::string_view id;                                           // stored and shown; never changes
  std::unique_ptr<SelectionPolicy> (*make)(std::uint64_t seed);  // one per priority tier of a pool
  bool uses_weights = false;      // the UI hides weights elsewhere; 0 = drain holds under every policy
  bool observes_latency = false;  // wants to be told how long keys take
  bool keeps_affinity = false;    // requests of one conversation stay on one key while it is usable (D22)
};

std::span<const PolicyEntry> selection_policies();

// nullptr for a name that is not in the list.
const PolicyEntry* find_selection_policy(std::string_view id);

}  // namespace akr
