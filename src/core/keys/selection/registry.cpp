#include "core/keys/selection/registry.hpp"

#include "core/keys/selection/fill_first.hpp"
#include "core/keys/selection/latency.hpp"
#include "core/keys/selection/least_in_flight.hpp"
#include "core/keys/selection/least_used.hpp"
#include "core/keys/selection/random_choice.hpp"
#include "core/keys/selection/round_robin.hpp"
#include "core/keys/selection/weighted.hpp"

namespace akr {
namespace {

template <class Policy>
std::unique_ptr<SelectionPolicy> make(std::uint64_t seed) {
  if constexpr (std::is_constructible_v<Policy, std::uint64_t>) {
    return std::make_unique<Policy>(seed);
  } else {
    return std::make_unique<Policy>();
  }
}

// THE list.  The first one is the default.
constexpr PolicyEntry kPolicies[] = {
    {.id = "round_robin", .make = make<RoundRobin>},
    {.id = "weighted", .make = make<Weighted>, .uses_weights = true},
    {.id = "random", .make = make<RandomChoice>},
    {.id = "least_used", .make = make<LeastUsed>},
    {.id = "least_in_flight", .make = make<LeastInFlight>},
    {.id = "fill_first", .make = make<FillFirst>},
    {.id = "latency", .make = make<Latency>, .observes_latency = true},
    {.id = "sticky", .make = make<RoundRobin>, .keeps_affinity = true},
};

}  // namespace

std::span<const PolicyEntry> selection_policies() { return kPolicies; }

const PolicyEntry* find_selection_policy(std::string_view id) {
  for (const PolicyEntry& each : kPolicies)
    if (each.id == id) return &each;
  return nullptr;
}

}  // namespace akr
