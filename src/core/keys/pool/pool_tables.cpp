// Who may be chosen now, kept up to date key by key.
#include "core/keys/pool/pool_tables.hpp"

namespace akr {

void PoolTables::Judgement::add(KeyStanding reason, TimePoint at) {
  if (standing == KeyStanding::kUsable || standing == KeyStanding::kTrial) {
    standing = reason;
    wake = at;
    return;
  }
  // Two reasons: usable when both are over.  One that no clock ends keeps the key out of the heap.
  wake = wake == TimePoint{} || at == TimePoint{} ? TimePoint{} : std::max(wake, at);
}

std::optional<std::uint32_t> PoolTables::locate_moved(const KeyClaim& claim) const {
  // The keys were replaced meanwhile.  A key that got a new secret is another key: this attempt says nothing about it.
  const auto slot = roster.find(claim.key->id);
  if (!slot || roster.slots[*slot].key != claim.key) return std::nullopt;
  return slot;
}

std::uint32_t PoolTables::enabled_keys() const {
  return slots() - in_standing(KeyStanding::kDisabled) - in_standing(KeyStanding::kUnreadable) -
         in_standing(KeyStanding::kDraining);
}

std::optional<TimePoint> PoolTables::next_wake() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.top().at;
}

void PoolTables::advance(std::size_t budget) {
  while (!heap_.empty() && heap_.top().at <= now_) {
    if (budget == 0 && ready_keys() > 0) return;
    if (budget > 0) --budget;
    const std::uint32_t slot = heap_.top().slot;
    heap_.drop(slot);
    refresh(slot);
  }
}

PoolTables::Judgement PoolTables::judge(std::uint32_t slot) {
  const Slot& own = roster.slots[slot];
  if (!own.enabled) return {.standing = KeyStanding::kDisabled};
  if (!own.readable) return {.standing = KeyStanding::kUnreadable};
  if (own.view.weight == 0) return {.standing = KeyStanding::kDraining};

  Judgement judgement;
  reach(slot).each([&](const WaitOwner& owner) {
    if (!owner.troubled()) return;
    Health& health = owner.health();
    switch (gate(health, now_)) {
      case Gate::kOpen:
        break;
      case Gate::kTrial:
        if (judgement.standing == KeyStanding::kUsable) judgement.standing = KeyStanding::kTrial;
        break;
      case Gate::kOnTrial:
        judgement.add(KeyStanding::kOnTrial, {});
        break;
      case Gate::kShut:
        if (health.state == KeyState::kInvalid)
          judgement.add(KeyStanding::kInvalid, health.half_open ? health.next_try : TimePoint{});
        if (health.state == KeyState::kExhausted) judgement.add(KeyStanding::kExhausted, health.next_try);
        if (health.state == KeyState::kCooling) judgement.add(KeyStanding::kCooling, health.next_try);
        break;
    }
    if (owner.paced_until() > now_) judgement.add(KeyStanding::kPaced, owner.paced_until());
  });
  if (LimitAccount* limits = limits_of(slot)) {
    const auto until = limits->blocked_until(now_, clock_);
    const bool free = judgement.standing == KeyStanding::kUsable || judgement.standing == KeyStanding::kTrial;
    if (until && *until != TimePoint::max()) judgement.add(KeyStanding::kLimited, *until);
    if (until && *until == TimePoint::max() && free) judgement.standing = KeyStanding::kBusy;
  }
  return judgement;
}

PoolTables::Judgement PoolTables::refresh(std::uint32_t slot) {
  Slot& own = roster.slots[slot];
  const Judgement judgement = judge(slot);
  if (judgement.standing != own.standing) {
    --standings_[static_cast<std::size_t>(own.standing)];
    ++standings_[static_cast<std::size_t>(judgement.standing)];
    own.standing = judgement.standing;
  }
  const bool usable = own.standing == KeyStanding::kUsable || own.standing == KeyStanding::kTrial;
  if (usable && own.ready == kNowhere) {
    join(slot);
    ++joins_;
  }
  if (!usable && own.ready != kNowhere) leave(slot);
  if (!usable && judgement.wake != TimePoint{}) {
    heap_.set(slot, judgement.wake);
  } else {
    heap_.drop(slot);
  }
  return judgement;
}

void PoolTables::refresh_group(std::uint32_t group) {
  for (const std::uint32_t member : roster.groups[group].members) refresh(member);
}

void PoolTables::refresh_reach(std::uint32_t slot) {
  const std::uint32_t group = roster.slots[slot].group;
  if (group != kNowhere) {
    refresh_group(group);
  } else {
    refresh(slot);
  }
}

void PoolTables::join(std::uint32_t slot) {
  Slot& own = roster.slots[slot];
  own.ready = tiers[own.tier].join(own.view);
}

void PoolTables::leave(std::uint32_t slot) {
  Slot& own = roster.slots[slot];
  ReadyKeys& tier = tiers[own.tier];
  own.view = tier.leave(own.ready);
  if (own.ready < tier.views().size()) roster.slots[tier.views()[own.ready].slot].ready = own.ready;
  own.ready = kNowhere;
}

void PoolTables::undo_leave(std::uint32_t slot, std::uint32_t position) {
  Slot& own = roster.slots[slot];
  ReadyKeys& tier = tiers[own.tier];
  tier.undo_leave(position, own.view);
  own.ready = position;
  const auto last = static_cast<std::uint32_t>(tier.views().size() - 1);
  roster.slots[tier.views()[last].slot].ready = last;
}

void PoolTables::give_back_retired(const PooledKey* key) {
  const auto it = retired_.find(key);
  if (it != retired_.end() && --it->second.in_flight == 0) retired_.erase(it);
}

}  // namespace akr
