#include "core/keys/pool/home_keys.hpp"

#include <algorithm>
#include <utility>

namespace akr {
namespace {

constexpr std::size_t kMostKnown = 10'000;

}  // namespace

const HomeKeys::First& HomeKeys::first(std::uint64_t home, std::uint16_t tier) {
  if (known_.size() >= kMostKnown && !known_.contains(home + tier)) known_.clear();
  Known& known = known_[home + tier];
  if (known.edition != tables_.edition()) known = {tables_.edition(), find(home, tier)};
  return known.slots;
}

HomeKeys::First HomeKeys::find(std::uint64_t home, std::uint16_t tier) const {
  std::array<HomeRank, kFirst> ranks{};
  First best;
  best.fill(kNowhere);
  for (const Roster::IdPlace& place : tables_.roster.by_id) {
    HomeRank rank = home_rank(home, tables_.roster.account_of(place.slot), place.id);
    if (rank <= ranks.back()) continue;  // most of them, and without a look at the key
    const Slot& own = tables_.roster.slots[place.slot];
    if (own.tier != tier || !own.enabled || !own.readable) continue;
    std::uint32_t slot = place.slot;
    for (std::size_t i = 0; i < kFirst; ++i) {
      if (rank <= ranks[i]) continue;
      std::swap(rank, ranks[i]);
      std::swap(slot, best[i]);
    }
  }
  return best;
}

}  // namespace akr
