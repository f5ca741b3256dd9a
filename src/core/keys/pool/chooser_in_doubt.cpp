// Whom to ask while the outage guard doubts that the upstream is well: a key of which nothing is known yet.
#include <algorithm>

#include "core/keys/pool/chooser.hpp"

namespace akr {
namespace {

// Keys that the policy may offer in vain, and those that are looked at then, for each tier: so many may have failed
// that finding one that did not would take too long.  Then it is any one's turn.
constexpr std::size_t kMostOffered = 64;
constexpr std::uint32_t kMostLookedAt = 4096;

}  // namespace

std::optional<std::uint32_t> Chooser::choose_in_doubt(const SelectRequest& request, std::uint64_t model, Choice& choice,
                                                      Asking& asking) {
  auto slot = find_unasked(request, model, asking);
  if (!slot && !asking.held) slot = search(request, model, choice);
  choice.aside.bring_back();
  if (!slot && !asking.held) slot = without_hope(request, model, choice);
  return slot;
}

// What tells most comes first: a tier of which nothing bad is known, then one after the other.
std::optional<std::uint32_t> Chooser::find_unasked(const SelectRequest& request, std::uint64_t model, Asking& asking) {
  const std::size_t tiers = tables_.tiers.size();
  for (std::size_t tier = 0; tier < tiers; ++tier) {
    if (asking.guard.failed_in(tier)) continue;
    if (const auto slot = unasked_in(tables_.tiers[tier], request, model, asking.round)) return slot;
  }
  if (asking.held && !asking.one_more) return std::nullopt;
  for (int rounds = asking.held ? 1 : 2; rounds > 0; --rounds, ++asking.round) {
    for (std::size_t i = 0; i < tiers; ++i) {
      ReadyKeys& tier = tables_.tiers[(asking.guard.first_tier() + i) % tiers];
      if (const auto slot = unasked_in(tier, request, model, asking.round)) return slot;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Chooser::unasked_in(ReadyKeys& tier, const SelectRequest& request, std::uint64_t model,
                                                 std::uint32_t round) {
  const auto fits = [&](std::uint32_t slot) {
    return tables_.roster.records[slot].mark.round != round && fit(slot, request.tokens, model).good();
  };
  SetAside asked(tables_);
  std::optional<std::uint32_t> found;
  while (!found && !tier.empty() && asked.size() < kMostOffered) {
    const std::uint32_t slot = tier.pick(random_);
    if (fits(slot)) {
      found = slot;
    } else {
      asked.add(slot);
    }
  }
  const auto count = static_cast<std::uint32_t>(tier.views().size());
  const std::uint32_t start = found || count == 0 ? 0 : random_.below(count);
  for (std::uint32_t i = 0; i < std::min(count, kMostLookedAt) && !found; ++i) {
    const std::uint32_t slot = tier.views()[(start + i) % count].slot;
    if (fits(slot)) found = slot;
  }
  asked.undo();
  return found;
}

}  // namespace akr
