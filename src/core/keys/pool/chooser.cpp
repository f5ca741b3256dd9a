#include "core/keys/pool/chooser.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace akr {
namespace {

// Keys a policy may offer in vain before we look for any other one, in the order of the array.
constexpr std::size_t kMostAside = 64;
constexpr std::size_t kMostBlockedModels = 1024;

}  // namespace

std::optional<std::uint32_t> Chooser::foresee(const SelectRequest& request, std::uint64_t model, Choice& choice,
                                              Asking* asking) {
  const Random random = random_;
  const auto blocked = blocked_models_;  // a search that is saved moves no cursor
  std::vector<std::unique_ptr<SelectionPolicy>> before;
  before.reserve(tables_.tiers.size());
  for (ReadyKeys& tier : tables_.tiers) before.push_back(tier.copy_policy());
  set_aside_tried(request, choice);
  std::optional<std::uint32_t> slot;
  if (asking != nullptr) slot = find_unasked(request, model, *asking);
  const bool held = asking != nullptr && asking->held;
  if (!slot && !held) slot = search(request, model, choice);
  choice.aside.undo();
  if (!slot && !held) slot = without_hope(request, model, choice);
  for (std::size_t i = 0; i < before.size(); ++i) tables_.tiers[i].put_back(std::move(before[i]));
  random_ = random;
  blocked_models_ = blocked;
  return slot;
}

std::optional<std::uint32_t> Chooser::search(const SelectRequest& request, std::uint64_t model, Choice& choice) {
  if (!blocked_models_.empty() && known_blocked(model, choice)) return std::nullopt;
  if (request.home == 0 && request.affinity != 0 && tables_.policy().keeps_affinity) {
    if (const auto slot = affine(request, model, choice)) return slot;
  }
  const std::size_t tried = choice.aside.size();
  const auto slot = request.home != 0 ? at_home(request, model, choice) : by_policy(request, model, choice);
  // Worth remembering only if it was a long search and nothing but models stood in the way.
  const std::size_t looked_at = request.home != 0 ? tables_.ready_keys() : choice.aside.size();
  if (!slot && tried == 0 && looked_at >= kMostAside) remember_blocked(model, choice);
  return slot;
}

std::optional<std::uint32_t> Chooser::by_policy(const SelectRequest& request, std::uint64_t model, Choice& choice) {
  for (ReadyKeys& tier : tables_.tiers) {
    if (tier.empty()) continue;
    if (const auto slot = from_tier(tier, request, model, choice)) return slot;
  }
  return std::nullopt;
}

// No key has access to the model, and waiting changes nothing: one of them is asked, so that the client hears it from
// the provider instead of being told to wait (and so that a model that appears is noticed at once).  Not again for the
// same request.
std::optional<std::uint32_t> Chooser::without_hope(const SelectRequest& request, std::uint64_t model,
                                                   const Choice& choice) {
  if (model == 0 || !request.tried.empty() || choice.hope || choice.trace.model_cooling == 0) return std::nullopt;
  const std::uint32_t valid = tables_.enabled_keys() - tables_.in_standing(KeyStanding::kInvalid);
  if (choice.trace.too_few_tokens > 0 || tables_.ready_keys() < valid) return std::nullopt;  // others may have it
  for (ReadyKeys& tier : tables_.tiers) {
    if (!tier.empty()) return tier.pick(random_);
  }
  return std::nullopt;
}

// Of the best tier that has a usable key, the one that the access key likes best: the next of its account, if it has
// one, when the home itself is out.
std::optional<std::uint32_t> Chooser::at_home(const SelectRequest& request, std::uint64_t model, Choice& choice) {
  std::optional<std::uint32_t> found;
  for (std::uint16_t tier = 0; tier < tables_.tiers.size() && !found; ++tier) {
    if (tables_.tiers[tier].empty()) continue;
    const HomeKeys::First& first = homes_.first(request.home, tier);
    const auto usable = std::ranges::find_if(first, [&](std::uint32_t slot) {
      return slot != kNowhere && tables_.roster.slots[slot].ready != kNowhere &&
             fit(slot, request.tokens, model).good();
    });
    found = usable != first.end() ? *usable : best_at_home(tables_.tiers[tier], request, model, choice);
  }
  choice.trace.home = found.has_value();
  return found;
}

std::optional<std::uint32_t> Chooser::best_at_home(const ReadyKeys& tier, const SelectRequest& request,
                                                   std::uint64_t model, Choice& choice) {
  std::optional<std::uint32_t> best;
  HomeRank best_rank;
  for (const KeyView& each : tier.views()) {
    const HomeRank rank = homes_.rank(request.home, each.slot);
    if ((best && rank <= best_rank) || !accept(each.slot, request, model, choice)) continue;
    best = each.slot;
    best_rank = rank;
  }
  return best;
}

std::optional<std::uint32_t> Chooser::affine(const SelectRequest& request, std::uint64_t model, Choice& choice) {
  // From memory that is far away, in as few steps as it can be: what leads to the key, what it consists of, what that
  // points at.
  const auto hint = affinity_.glance(request.affinity);
  if (!hint) return std::nullopt;
  prefetch(*hint);
  const auto place = affinity_.find(request.affinity, tables_.now());
  if (!place) return std::nullopt;
  const auto slot = locate(*place);
  if (!slot || tables_.roster.slots[*slot].ready == kNowhere) return std::nullopt;
  prefetch_rest(*slot);
  if (!accept(*slot, request, model, choice)) return std::nullopt;
  // A better tier that came back goes before the old conversation's place (D31).
  for (std::uint16_t tier = 0; tier < tables_.roster.slots[*slot].tier; ++tier)
    if (!tables_.tiers[tier].empty()) return std::nullopt;
  choice.trace.affinity = true;
  return slot;
}

std::optional<std::uint32_t> Chooser::locate(const AffinityMap::Place& place) const {
  const auto& slots = tables_.roster.slots;
  if (place.slot < slots.size() && slots[place.slot].id == place.key) return place.slot;
  return tables_.roster.find(place.key);
}

std::optional<std::uint32_t> Chooser::from_tier(ReadyKeys& tier, const SelectRequest& request, std::uint64_t model,
                                                Choice& choice) {
  while (!tier.empty() && choice.aside.size() < kMostAside) {
    const std::uint32_t slot = tier.pick(random_);
    prefetch(slot);
    prefetch_ahead(tier);
    if (accept(slot, request, model, choice)) return slot;
    choice.aside.add(slot);
  }
  const auto count = static_cast<std::uint32_t>(tier.views().size());
  if (count == 0) return std::nullopt;
  const std::uint32_t start = random_.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t slot = tier.views()[(start + i) % count].slot;
    if (accept(slot, request, model, choice)) return slot;
  }
  return std::nullopt;
}

void Chooser::prefetch(std::uint32_t slot) const {
  // All lines at once instead of one after the other: in a large pool each comes from memory.
  const Roster& roster = tables_.roster;
  __builtin_prefetch(&roster.slots[slot], 1);
  if (slot >= roster.limit_accounts.size()) return;
  roster.limit_accounts[slot].prefetch();
}

void Chooser::prefetch(const AffinityMap::Hint& hint) const {
  if (hint.slot < tables_.slots()) prefetch(hint.slot);
  // Only in the best tier that has keys a conversation stays with its own.
  const auto best = std::ranges::find_if(tables_.tiers, [](const ReadyKeys& tier) { return !tier.empty(); });
  if (best != tables_.tiers.end() && hint.ready < best->views().size()) __builtin_prefetch(&best->at(hint.ready), 1);
}

// The keys of the coming turns, while this one is busy: what an index leads to first, what is behind that later.
void Chooser::prefetch_ahead(const ReadyKeys& tier) const {
  const Roster& roster = tables_.roster;
  const Foresight& ahead = tier.foresight();
  if (ahead[3] < roster.slots.size()) prefetch(ahead[3]);
  if (ahead[1] < roster.slots.size()) prefetch_rest(ahead[1]);
}

// REQUIRES: prefetch() was called for it.
void Chooser::prefetch_rest(std::uint32_t slot) const {
  const Roster& roster = tables_.roster;
  const Slot& own = roster.slots[slot];
  const ReadyKeys& tier = tables_.tiers[own.tier];
  if (own.ready < tier.views().size()) __builtin_prefetch(&tier.at(own.ready), 1);
  if (slot < roster.limit_accounts.size()) roster.limit_accounts[slot].prefetch_rings(tables_.now());
}

bool Chooser::accept(std::uint32_t slot, const SelectRequest& request, std::uint64_t model, Choice& choice) {
  if (!enough_tokens(slot, request.tokens)) {
    choice.passed_over({.enough_tokens = false});
    return false;
  }
  if (model == 0 || tables_.models.empty()) return true;  // the usual case, at no cost
  const ModelHold held = hold(slot, model);
  if (held.holds) choice.passed_over({.model = held});
  return !held.holds;
}

Fit Chooser::fit(std::uint32_t slot, std::uint32_t tokens, std::uint64_t model) {
  if (!enough_tokens(slot, tokens)) return {.enough_tokens = false};
  return {.model = hold(slot, model)};
}

bool Chooser::enough_tokens(std::uint32_t slot, std::uint32_t tokens) {
  if (tokens == 0 || !tables_.roster.slots[slot].limited) return true;
  return tables_.limits_of(slot)->fits_tokens(tokens, tables_.now());
}

ModelHold Chooser::hold(std::uint32_t slot, std::uint64_t model) {
  ModelHold found;
  if (model == 0 || tables_.models.empty()) return found;
  tables_.reach(slot).all([&](const WaitOwner& owner) {
    if (!owner.model_waits()) return true;
    if (const ModelWait* wait = tables_.models.find(owner.pair(), model)) found = hold_of(*wait, tables_.now());
    return !found.holds;
  });
  return found;
}

bool Chooser::known_blocked(std::uint64_t model, Choice& choice) {
  const auto it = blocked_models_.find(model);
  if (it == blocked_models_.end()) return false;
  if (it->second.joins == tables_.joins() && tables_.now() < it->second.until) {
    choice.soonest = it->second.until;
    choice.trace.model_cooling = tables_.ready_keys();
    choice.trace.model_reason = it->second.reason;
    choice.hope = !it->second.hopeless;
    return true;
  }
  blocked_models_.erase(it);
  return false;
}

void Chooser::remember_blocked(std::uint64_t model, const Choice& choice) {
  if (choice.soonest == TimePoint{} || choice.trace.too_few_tokens > 0) return;
  if (blocked_models_.size() >= kMostBlockedModels) blocked_models_.clear();
  blocked_models_[model] = {tables_.joins(), choice.soonest, !choice.hope, choice.trace.model_reason};
}

void Chooser::set_aside_tried(const SelectRequest& request, Choice& choice) {
  for (const KeyId id : request.tried) {
    const auto slot = tables_.roster.find(id);
    if (!slot || tables_.roster.slots[*slot].ready == kNowhere) continue;
    choice.aside.add(*slot);
    ++choice.trace.tried;
  }
}

}  // namespace akr
