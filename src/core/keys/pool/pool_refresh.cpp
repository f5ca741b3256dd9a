// Who may be chosen now, kept up to date key by key.
#include <algorithm>

#include "core/keys/pool/pool_state.hpp"

namespace akr {

void PoolState::Judgement::add(KeyStanding reason, TimePoint at) {
  if (standing == KeyStanding::kUsable || standing == KeyStanding::kTrial) {
    standing = reason;
    wake = at;
    return;
  }
  // Two reasons: usable when both are over.  One that no clock ends keeps the key out of the heap.
  wake = wake == TimePoint{} || at == TimePoint{} ? TimePoint{} : std::max(wake, at);
}

void PoolState::advance(std::size_t budget) {
  while (!heap_.empty() && heap_.top().at <= now_) {
    if (budget == 0 && ready_keys() > 0) return;
    if (budget > 0) --budget;
    const std::uint32_t slot = heap_.top().slot;
    heap_.drop(slot);
    refresh(slot);
  }
}

LimitAccount* PoolState::account(std::uint32_t slot) {
  const Slot& own = roster_.slots[slot];
  if (!own.limited) return nullptr;
  if (own.group != kNowhere) return roster_.groups[own.group].account.get();
  return &roster_.accounts[slot];
}

PoolState::Judgement PoolState::judge(std::uint32_t slot) {
  const Slot& own = roster_.slots[slot];
  if (!own.enabled) return {.standing = KeyStanding::kDisabled};
  if (!own.readable) return {.standing = KeyStanding::kUnreadable};
  if (own.view.weight == 0) return {.standing = KeyStanding::kDraining};

  Judgement judgement;
  const auto consider = [&](Health& health, TimePoint paced_until) {
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
    if (paced_until > now_) judgement.add(KeyStanding::kPaced, paced_until);
  };
  if (own.troubled) consider(roster_.records[slot].health, roster_.records[slot].paced_until);
  if (own.group != kNowhere) consider(roster_.groups[own.group].health, roster_.groups[own.group].paced_until);
  if (LimitAccount* limits = account(slot)) {
    const auto until = limits->blocked_until(now_, clock_);
    const bool free = judgement.standing == KeyStanding::kUsable || judgement.standing == KeyStanding::kTrial;
    if (until && *until != TimePoint::max()) judgement.add(KeyStanding::kLimited, *until);
    if (until && *until == TimePoint::max() && free) judgement.standing = KeyStanding::kBusy;
  }
  return judgement;
}

void PoolState::refresh(std::uint32_t slot) {
  Slot& own = roster_.slots[slot];
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
}

void PoolState::refresh_group(std::uint32_t group) {
  for (const std::uint32_t member : roster_.groups[group].members) refresh(member);
}

void PoolState::refresh_reach(std::uint32_t slot) {
  if (roster_.slots[slot].group != kNowhere) return refresh_group(roster_.slots[slot].group);
  refresh(slot);
}

void PoolState::join(std::uint32_t slot) {
  Slot& own = roster_.slots[slot];
  own.ready = tiers_[own.tier].join(own.view);
}

void PoolState::leave(std::uint32_t slot) {
  Slot& own = roster_.slots[slot];
  ReadyKeys& tier = tiers_[own.tier];
  own.view = tier.leave(own.ready);
  if (own.ready < tier.views().size()) roster_.slots[tier.views()[own.ready].slot].ready = own.ready;
  own.ready = kNowhere;
}

KeyView& PoolState::view(Slot& slot) { return slot.ready == kNowhere ? slot.view : tiers_[slot.tier].at(slot.ready); }

std::uint32_t PoolState::enabled_keys() const {
  return slots() - in_standing(KeyStanding::kDisabled) - in_standing(KeyStanding::kUnreadable) -
         in_standing(KeyStanding::kDraining);
}

}  // namespace akr
