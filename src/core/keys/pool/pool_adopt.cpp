// New keys: what stays of the old ones' health, and the tables that follow from it.
#include <algorithm>
#include <string>

#include "core/keys/pool/pool_tables.hpp"

namespace akr {
namespace {

// Validations are under way, too, but take no place and give none back.
std::uint32_t requests_of(const Roster& roster, std::uint32_t slot) {
  return roster.slots[slot].view.in_flight - roster.records[slot].probing;
}

}  // namespace

void PoolTables::adopt(Roster&& next) {
  // Live views back into the slots: the tiers are built anew.
  for (Slot& slot : roster.slots) {
    slot.view = view(slot);
    slot.ready = kNowhere;
  }
  const auto& old = roster.by_id;
  std::size_t kept = 0;
  for (const Roster::IdPlace& place : next.by_id) {
    for (; kept < old.size() && old[kept].id < place.id; ++kept) retire(old[kept].slot);
    if (kept == old.size() || old[kept].id != place.id) continue;
    const std::uint32_t old_slot = old[kept++].slot;
    if (roster.slots[old_slot].key == next.slots[place.slot].key) {
      adopt_key(next, place.slot, old_slot);
    } else {
      retire(old_slot);
    }
  }
  for (; kept < old.size(); ++kept) retire(old[kept].slot);
  adopt_groups(next);
  adopt_limits(next);
  std::swap(roster, next);
  ++version_;
  ++edition_;
  rebuild_tiers(false);
}

bool PoolTables::appendable(const Roster& more) const {
  const auto& known = roster.priorities;
  const bool known_tiers = std::includes(known.begin(), known.end(), more.priorities.begin(), more.priorities.end());
  const bool newer = more.by_id.empty() || roster.by_id.empty() || roster.by_id.back().id < more.by_id.front().id;
  return known_tiers && newer && more.groups.empty() && more.limit_accounts.empty() && more.by_account.empty();
}

bool PoolTables::append(Roster&& more) {
  if (!appendable(more)) return false;
  const std::uint32_t first = slots();
  for (std::uint32_t i = 0; i < more.slots.size(); ++i) {
    Slot& slot = roster.slots.emplace_back(more.slots[i]);
    slot.view.slot = first + i;
    const auto tier =
        std::ranges::lower_bound(roster.priorities, more.priorities[slot.tier]) - roster.priorities.begin();
    slot.tier = static_cast<std::uint16_t>(tier);
    roster.records.push_back(std::move(more.records[i]));
  }
  for (const Roster::IdPlace& place : more.by_id) roster.by_id.push_back({place.id, first + place.slot});
  if (!roster.limit_accounts.empty()) roster.limit_accounts.resize(slots());
  if (!roster.account_by_slot.empty()) roster.account_by_slot.resize(slots());
  for (ReadyKeys& tier : tiers) tier.grow(slots());
  heap_.grow(slots());
  standings_[static_cast<std::size_t>(KeyStanding::kDisabled)] += slots() - first;
  for (std::uint32_t slot = first; slot < slots(); ++slot) refresh(slot);
  ++version_;
  ++edition_;
  return true;
}

void PoolTables::adopt_key(Roster& next, std::uint32_t slot, std::uint32_t old_slot) {
  Slot& own = next.slots[slot];
  const Slot& old = roster.slots[old_slot];
  own.view.in_flight = old.view.in_flight;
  own.view.latency_ms = old.view.latency_ms;
  own.view.turns = old.view.turns;
  own.last_used_s = old.last_used_s;
  own.troubled = old.troubled;
  own.model_waits = old.model_waits;
  next.records[slot] = std::move(roster.records[old_slot]);
  LimitAccount* const limits = reach(old_slot).key().limits();
  if (limits != nullptr && !next.limit_accounts.empty()) next.limit_accounts[slot] = std::move(*limits);
  next.records[slot].mark = {};
}

// A trial that runs may be that of a key that is gone or has left the group, and nobody would end it: one more request
// may try.
void PoolTables::adopt_groups(Roster& next) {
  models.for_each([](const ModelWaits::Pair&, ModelWait& wait) { wait.health.on_trial = false; });
  std::unordered_map<std::string_view, QuotaGroup*> old;
  for (QuotaGroup& group : roster.groups) old.emplace(group.name, &group);
  for (QuotaGroup& group : next.groups) {
    const auto it = old.find(group.name);
    if (it == old.end()) continue;
    group.health = it->second->health;
    group.health.on_trial = false;
    group.paced_until = it->second->paced_until;
    group.limits = std::move(it->second->limits);
    group.model_waits = it->second->model_waits;
  }
}

void PoolTables::adopt_limits(Roster& next) {
  for (std::uint32_t i = 0; i < next.limit_accounts.size(); ++i) {
    if (next.slots[i].group != kNowhere || !LimitAccount::limited(next.limits[i])) continue;
    next.limit_accounts[i].set_limits(next.limits[i], now_, clock_);
    next.limit_accounts[i].set_in_flight(requests_of(next, i));
    next.slots[i].limited = true;
  }
  for (QuotaGroup& group : next.groups) {
    KeyLimits limits;
    std::uint32_t in_flight = 0;
    for (const std::uint32_t member : group.members) {
      limits = strictest(limits, next.limits[member]);
      in_flight += requests_of(next, member);
    }
    if (!LimitAccount::limited(limits)) {
      group.limits.reset();
      continue;
    }
    if (!group.limits) group.limits = std::make_unique<LimitAccount>();
    group.limits->set_limits(limits, now_, clock_);
    group.limits->set_in_flight(in_flight);
    for (const std::uint32_t member : group.members) next.slots[member].limited = true;
  }
  next.limits = {};
}

void PoolTables::retire(std::uint32_t old_slot) {
  const std::uint32_t in_flight = roster.slots[old_slot].view.in_flight;
  if (in_flight == 0) return;
  Retired& retired = retired_[roster.slots[old_slot].key];
  retired.key = roster.records[old_slot].key;
  retired.in_flight = in_flight;
}

void PoolTables::set_policy(const PolicyEntry* policy) {
  if (policy == policy_) return;
  policy_ = policy;
  rebuild_tiers(true);
}

void PoolTables::rebuild_tiers(bool new_policy) {
  for (Slot& slot : roster.slots) {
    slot.view = view(slot);
    slot.ready = kNowhere;
    slot.standing = KeyStanding::kDisabled;
  }
  std::vector<std::uint32_t> members(roster.priorities.size());
  for (const Slot& slot : roster.slots) ++members[slot.tier];
  std::vector<ReadyKeys> next;
  for (std::size_t i = 0; i < roster.priorities.size(); ++i) {
    const std::int32_t priority = roster.priorities[i];
    // A tier that stays keeps its policy, and with it the cursor.
    const auto old = std::find_if(tiers.begin(), tiers.end(),
                                  [priority](const ReadyKeys& tier) { return tier.priority() == priority; });
    const bool keep = old != tiers.end() && !new_policy;
    next.push_back(keep ? std::move(*old) : ReadyKeys(priority, policy_->make(seed_ + i)));
    next.back().resize(slots(), members[i]);
  }
  tiers = std::move(next);
  heap_.resize(slots());
  standings_ = {};
  standings_[static_cast<std::size_t>(KeyStanding::kDisabled)] = slots();
  for (std::uint32_t slot = 0; slot < slots(); ++slot) refresh(slot);
}

}  // namespace akr
