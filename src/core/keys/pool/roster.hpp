// roster.hpp - the keys of a pool as tables: one hot line per key for every selection, the rest for when it fails.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/large_vector.hpp"
#include "core/keys/key_state.hpp"
#include "core/keys/pool/health.hpp"
#include "core/keys/pool/key_claim.hpp"
#include "core/keys/pool/limits.hpp"
#include "core/keys/pool/model_waits.hpp"
#include "core/keys/pool/outage_guard.hpp"
#include "core/keys/pool/wake_heap.hpp"
#include "core/keys/selection/selection_policy.hpp"
#include "core/service/service.hpp"

namespace akr {

// All that a successful request touches: one cache line.
struct alignas(64) Slot {
  KeyView view;  // while the key is in no ReadyKeys; the live one is there otherwise
  KeyId id;
  const PooledKey* key = nullptr;
  std::uint32_t ready = kNowhere;  // position in its tier's ReadyKeys
  std::uint32_t group = kNowhere;  // index of its quota group
  std::uint32_t last_used_s = 0;   // seconds of TimePoint, from 1 on; 0 = never
  std::uint16_t tier = 0;
  KeyStanding standing = KeyStanding::kDisabled;
  bool enabled : 1 = true;
  bool readable : 1 = true;
  bool limited : 1 = false;      // it, or its group, has a LimitAccount
  bool troubled : 1 = false;     // its KeyRecord holds something that a success must clear, or a pause
  bool model_waits : 1 = false;  // it has had ModelWaits
};
static_assert(sizeof(Slot) == 64);

struct KeyRecord {
  std::shared_ptr<const PooledKey> key;
  Health health;
  TimePoint paced_until{};
  OutageGuard::Mark mark;
  std::uint32_t failures = 0;    // verdicts that blamed it in a row, whatever their scope
  std::string_view reason = {};  // of the last one; static storage
  int last_status = 0;
  std::string last_error;
  TimePoint latency_at{};        // when the latency was last measured
  TimePoint validate_at{};       // next background validation, while it is not active
  std::uint8_t validations = 0;  // in a row without success
  std::uint32_t probing = 0;     // of the attempts in flight, how many are validations
};

struct QuotaGroup {
  std::string name;
  PairOwner pair;  // its name as ModelWaits knows it
  Health health;
  TimePoint paced_until{};
  std::unique_ptr<LimitAccount> limits;
  bool model_waits = false;
  std::vector<std::uint32_t> members;  // slots
};

struct Roster {
  struct IdPlace {
    KeyId id;
    std::uint32_t slot;
  };
  LargeVector<Slot> slots;         // in the operator's order
  LargeVector<KeyRecord> records;  // by slot
  // By slot, empty if no key has limits of its own.  Beside the slots and not behind a pointer: in a large pool both
  // are then on their way from memory at the same time.
  LargeVector<LimitAccount> limit_accounts;
  std::vector<QuotaGroup> groups;
  std::unordered_map<std::uint64_t, std::uint32_t> group_of_owner;  // index in groups by PairOwner::of_group()
  LargeVector<IdPlace> by_id;                                       // sorted
  std::vector<std::int32_t> priorities;                             // sorted; Slot::tier is an index
  std::vector<KeyLimits> limits;                                    // by slot, as configured; empty once adopted

  // Provider accounts (UpstreamKey::account), as stable_hash().  Both are empty if no key has one.
  struct AccountPlace {
    std::uint64_t account;
    std::uint32_t slot;
  };
  std::vector<std::uint64_t> account_by_slot;  // 0 = none
  std::vector<AccountPlace> by_account;        // sorted, for each account by tier
  std::uint64_t account_of(std::uint32_t slot) const {
    return slot < account_by_slot.size() ? account_by_slot[slot] : 0;
  }
  std::span<const AccountPlace> keys_of(std::uint64_t account) const;  // none for 0

  std::optional<std::uint32_t> find(KeyId id) const;
  std::optional<std::uint32_t> find_group(std::string_view name) const;
};

// Everything that can be made without the pool's lock.  `known` (sorted by id) are the keys that exist: one whose
// secret did not change is taken over, so that leases and the new roster agree on it.
Roster make_roster(std::span<const UpstreamKey> keys, std::span<const std::shared_ptr<const PooledKey>> known);

}  // namespace akr
