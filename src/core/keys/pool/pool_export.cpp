// What survives a restart: the pool's tables as rows, told in parts so that requests do not wait, and taken back.
#include <algorithm>

#include "core/keys/pool/pool_state.hpp"

namespace akr {
namespace {

// Entries looked at per part: most of a healthy pool has nothing to tell.
constexpr std::size_t kExportScan = 4096;
constexpr std::size_t kMostReasons = 256;

KeyStateRecord row_of(const Health& health, const WallClock& clock) {
  KeyStateRecord row;
  row.state = health.state;
  row.reason = health.reason;
  row.since = clock.wall(health.since);
  row.until = clock.wall(health.until);
  row.next_try = clock.wall(health.next_try);
  row.half_open = health.half_open;
  row.rate_level = health.rate_level;
  row.quota_level = health.quota_level;
  row.failures = health.failures;
  return row;
}

bool worth_keeping(const Health& health) {
  return health.state != KeyState::kActive || health.failures > 0 || health.rate_level > 0 || health.quota_level > 0;
}

}  // namespace

bool PoolState::export_part(ExportCursor& cursor, const WallClock& clock, std::vector<KeyStateRecord>& rows) {
  using Table = ExportCursor::Table;
  const std::size_t full = rows.size() + kExportRows;
  for (std::size_t looked = 0; looked < kExportScan && rows.size() < full; ++looked) {
    const std::size_t sizes[] = {roster_.slots.size(), roster_.groups.size(), models_.places()};
    while (cursor.table != Table::kEnd && cursor.at >= sizes[static_cast<std::size_t>(cursor.table)]) {
      cursor = {.table = static_cast<Table>(static_cast<std::uint8_t>(cursor.table) + 1)};
    }
    switch (cursor.table) {
      case Table::kKeys:
        export_key(static_cast<std::uint32_t>(cursor.at++), clock, rows);
        break;
      case Table::kGroups:
        export_group(roster_.groups[cursor.at++], clock, rows);
        break;
      case Table::kModels:
        models_.visit_place(cursor.at++, [&](const ModelWaits::Pair& pair, const ModelWait& wait) {
          export_model(pair, wait, clock, rows);
        });
        break;
      case Table::kEnd:
        return false;
    }
  }
  return true;
}

void PoolState::export_key(std::uint32_t slot, const WallClock& clock, std::vector<KeyStateRecord>& rows) {
  const Slot& own = roster_.slots[slot];
  const KeyRecord& record = roster_.records[slot];
  const LimitAccount* account = own.limited && own.group == kNowhere ? &roster_.accounts[slot] : nullptr;
  const bool used = account != nullptr && account->used_this_month() > 0;
  if (!used && !(own.troubled && worth_keeping(record.health))) return;
  KeyStateRecord& row = rows.emplace_back(row_of(record.health, clock));
  row.key = own.id;
  row.usage_at = clock.wall(now_);
  if (!used) return;
  row.used_today = account->used_today();
  row.used_this_month = account->used_this_month();
}

void PoolState::export_group(const QuotaGroup& group, const WallClock& clock, std::vector<KeyStateRecord>& rows) {
  const bool used = group.account && group.account->used_this_month() > 0;
  if (!used && !worth_keeping(group.health)) return;
  KeyStateRecord& row = rows.emplace_back(row_of(group.health, clock));
  row.group = group.name;
  row.usage_at = clock.wall(now_);
  row.used_today = used ? group.account->used_today() : 0;
  row.used_this_month = used ? group.account->used_this_month() : 0;
}

void PoolState::export_model(const ModelWaits::Pair& pair, const ModelWait& wait, const WallClock& clock,
                             std::vector<KeyStateRecord>& rows) {
  if (!worth_keeping(wait.health)) return;
  const auto group = roster_.group_of_owner.find(pair.owner.value);
  const bool of_group = (pair.owner.value & PairOwner::kGroupBit) != 0;
  if (of_group && group == roster_.group_of_owner.end()) return;
  KeyStateRecord& row = rows.emplace_back(row_of(wait.health, clock));
  row.model = wait.model;
  if (of_group) {
    row.group = roster_.groups[group->second].name;
  } else {
    row.key = KeyId{static_cast<std::int64_t>(pair.owner.value)};
  }
}

std::string_view PoolState::kept(const std::string& reason) {
  if (reasons_.size() >= kMostReasons && !reasons_.contains(reason)) return "restored";
  return *reasons_.insert(reason).first;
}

void PoolState::merge(Health& health, const KeyStateRecord& row, const WallClock& clock) {
  if (row.state > health.state) {
    health.state = row.state;
    health.since = clock.steady(row.since);
    health.reason = kept(row.reason);
  }
  health.until = std::max(health.until, clock.steady(row.until));
  health.next_try = std::max(health.next_try, clock.steady(row.next_try));
  health.half_open = health.half_open || row.half_open;
  health.rate_level = std::max(health.rate_level, static_cast<std::uint8_t>(std::min(row.rate_level, 16U)));
  health.quota_level = std::max(health.quota_level, static_cast<std::uint8_t>(std::min(row.quota_level, 16U)));
  health.failures = std::max(health.failures, row.failures);
  if (settings_.try_invalid) arrange_trial(health, now_);
}

void PoolState::import(const KeyStateRecord& row, const WallClock& clock) {
  if (!row.group.empty()) {
    if (const auto group = roster_.find_group(row.group)) import_group(*group, row, clock);
    return;
  }
  if (const auto slot = roster_.find(row.key)) import_key(*slot, row, clock);
}

void PoolState::import_group(std::uint32_t index, const KeyStateRecord& row, const WallClock& clock) {
  QuotaGroup& group = roster_.groups[index];
  if (!row.model.empty()) {  // says nothing about its members, who may be many
    group.model_waits = true;
    merge(models_.open(PairOwner::of_group(row.group), ModelTag(row.model), now_).health, row, clock);
    return;
  }
  merge(group.health, row, clock);
  if (group.account) {
    group.account->restore(row.used_today, row.used_this_month, clock.steady(row.usage_at), now_, clock_);
  }
  refresh_group(index);
}

void PoolState::import_key(std::uint32_t slot, const KeyStateRecord& row, const WallClock& clock) {
  Slot& own = roster_.slots[slot];
  KeyRecord& record = roster_.records[slot];
  if (row.model.empty()) {
    merge(record.health, row, clock);
    own.troubled = true;
    if (own.limited && own.group == kNowhere) {
      roster_.accounts[slot].restore(row.used_today, row.used_this_month, clock.steady(row.usage_at), now_, clock_);
    }
  } else {
    own.model_waits = true;
    merge(models_.open(PairOwner::of(own.id), ModelTag(row.model), now_).health, row, clock);
  }
  record.failures = std::max(record.failures, row.failures);
  record.reason = kept(row.reason);
  refresh(slot);
}

}  // namespace akr
