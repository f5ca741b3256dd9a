// pool_tables.hpp - the keys of a pool, what they wait for, and which of them may be chosen now.
//
// The heart is refresh(): it judges one key from scratch (judge()) and moves it into or out of its tier's ReadyKeys and
// the wake heap.  Whatever changes a key calls it, so no other code has to think about who may be chosen.
// A const PoolTables is what the readers get: status for people, rows for the store.  Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/keys/pool/key_claim.hpp"
#include "core/keys/pool/model_waits.hpp"
#include "core/keys/pool/reach.hpp"
#include "core/keys/pool/ready_keys.hpp"
#include "core/keys/pool/roster.hpp"
#include "core/keys/pool/wake_heap.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {

class PoolTables {
 public:
  struct Judgement {
    KeyStanding standing = KeyStanding::kUsable;
    TimePoint wake{};  // when to judge again; TimePoint{} = only when something happens
    void add(KeyStanding reason, TimePoint at);
  };

  PoolTables(std::uint64_t seed, const PolicyEntry* policy) : seed_(seed), policy_(policy) {}

  Roster roster;
  std::vector<ReadyKeys> tiers;  // by priority
  ModelWaits models;

  // Time.  now() is the latest that any caller said; it never goes back.
  TimePoint now() const { return now_; }
  void tick(TimePoint now) { now_ = std::max(now_, now); }
  const WallClock& clock() const { return clock_; }
  void set_wall_clock(const WallClock& clock) { clock_ = clock; }

  // One key.
  std::uint32_t slots() const { return static_cast<std::uint32_t>(roster.slots.size()); }
  std::optional<std::uint32_t> locate(const KeyClaim& claim) const {
    if (claim.slot < roster.slots.size() && roster.slots[claim.slot].key == claim.key) return claim.slot;
    return locate_moved(claim);
  }
  Reach reach(std::uint32_t slot) { return reach_in<Reach>(roster, slot); }
  ReadOnlyReach reach(std::uint32_t slot) const { return reach_in<ReadOnlyReach>(roster, slot); }
  // The limits that hold for it: its own, or its group's.  nullptr = none.
  LimitAccount* limits_of(std::uint32_t slot) {
    const Slot& own = roster.slots[slot];
    if (!own.limited) return nullptr;
    return own.group == kNowhere ? &roster.limit_accounts[slot] : roster.groups[own.group].limits.get();
  }
  KeyView& view(Slot& slot) { return slot.ready == kNowhere ? slot.view : tiers[slot.tier].at(slot.ready); }
  const KeyView& view(const Slot& slot) const {
    return slot.ready == kNowhere ? slot.view : tiers[slot.tier].at(slot.ready);
  }
  std::int32_t priority_of(std::uint32_t slot) const { return tiers[roster.slots[slot].tier].priority(); }

  // All of them.
  const std::array<std::uint32_t, kStandings>& standings() const { return standings_; }
  std::uint32_t in_standing(KeyStanding standing) const { return standings_[static_cast<std::size_t>(standing)]; }
  std::uint32_t ready_keys() const { return in_standing(KeyStanding::kUsable) + in_standing(KeyStanding::kTrial); }
  std::uint32_t enabled_keys() const;
  std::optional<TimePoint> next_wake() const;
  std::uint64_t joins() const { return joins_; }  // how often a key, or a model, became usable
  void model_joined() { ++joins_; }
  std::uint64_t version() const { return version_; }  // of what is worth keeping over a restart
  void changed() { ++version_; }
  std::uint64_t edition() const {
    return edition_;
  }  // of the roster: which keys there are, and what people set on them

  // Attempts.
  std::uint32_t in_flight() const { return in_flight_; }
  void attempt_began() { ++in_flight_; }
  void attempt_ended() { --in_flight_; }
  std::uint64_t last_ticket() const { return tickets_; }
  std::uint64_t next_ticket() { return ++tickets_; }
  void give_back_retired(const PooledKey* key);  // an attempt with a key that was deleted is over

  // Who may be chosen (pool_tables.cpp).
  void advance(std::size_t budget);  // wakes keys that are due; more than `budget` only if none is usable
  Judgement judge(std::uint32_t slot);
  Judgement refresh(std::uint32_t slot);
  void refresh_group(std::uint32_t group);
  void refresh_reach(std::uint32_t slot);  // the slot, and its group if it has one
  void join(std::uint32_t slot);
  void leave(std::uint32_t slot);
  void undo_leave(std::uint32_t slot, std::uint32_t position);  // the last leave(), exactly

  // New keys and a new policy (pool_adopt.cpp).
  void adopt(Roster&& next);   // leaves the old tables in `next`, to be freed outside of the lock
  bool append(Roster&& more);  // behind the present keys; false: only adopt() can do it, and nothing changed
  void set_policy(const PolicyEntry* policy);
  const PolicyEntry& policy() const { return *policy_; }

 private:
  struct Retired {
    std::shared_ptr<const PooledKey> key;
    std::uint32_t in_flight = 0;
  };

  template <class ReachOf, class RosterOf>
  static ReachOf reach_in(RosterOf& roster, std::uint32_t slot) {
    auto& own = roster.slots[slot];
    const bool grouped = own.group != kNowhere;
    auto* const limits = own.limited && !grouped ? &roster.limit_accounts[slot] : nullptr;
    return ReachOf({own, roster.records[slot], limits}, grouped ? &roster.groups[own.group] : nullptr);
  }

  std::optional<std::uint32_t> locate_moved(const KeyClaim& claim) const;
  void adopt_key(Roster& next, std::uint32_t slot, std::uint32_t old_slot);
  void adopt_groups(Roster& next);
  void adopt_limits(Roster& next);
  void retire(std::uint32_t old_slot);
  bool appendable(const Roster& more) const;
  void rebuild_tiers(bool new_policy);

  const std::uint64_t seed_;
  const PolicyEntry* policy_;
  WallClock clock_;
  TimePoint now_{};
  WakeHeap heap_;
  std::array<std::uint32_t, kStandings> standings_{};
  std::uint32_t in_flight_ = 0;
  std::uint64_t tickets_ = 0;
  std::uint64_t version_ = 0;
  std::uint64_t edition_ = 0;
  std::uint64_t joins_ = 0;
  std::unordered_map<const PooledKey*, Retired> retired_;  // deleted keys that attempts still use
};

}  // namespace akr
