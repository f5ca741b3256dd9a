#include "core/keys/pool/pool_rows.hpp"

#include <algorithm>

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

// nullptr if there is nothing to tell of a key or a group.
KeyStateRecord* export_owner(const ReadOnlyReach::Owner& owner, TimePoint now, const WallClock& clock,
                             std::vector<KeyStateRecord>& rows) {
  const LimitAccount* const limits = owner.limits();
  const bool used = limits != nullptr && limits->used_this_month() > 0;
  if (!used && !(owner.troubled() && worth_keeping(owner.health()))) return nullptr;
  KeyStateRecord& row = rows.emplace_back(row_of(owner.health(), clock));
  row.usage_at = clock.wall(now);
  row.used_today = used ? limits->used_today() : 0;
  row.used_this_month = used ? limits->used_this_month() : 0;
  return &row;
}

}  // namespace

bool PoolRows::export_part(ExportCursor& cursor, const WallClock& clock, std::vector<KeyStateRecord>& rows) const {
  using Table = ExportCursor::Table;
  const PoolTables& tables = tables_;
  const Roster& roster = tables.roster;
  const std::size_t full = rows.size() + kExportRows;
  for (std::size_t looked = 0; looked < kExportScan && rows.size() < full; ++looked) {
    const std::size_t sizes[] = {roster.slots.size(), roster.groups.size(), tables.models.places()};
    while (cursor.table != Table::kEnd && cursor.at >= sizes[static_cast<std::size_t>(cursor.table)]) {
      cursor = {.table = static_cast<Table>(static_cast<std::uint8_t>(cursor.table) + 1)};
    }
    const std::size_t at = cursor.at++;
    switch (cursor.table) {
      case Table::kKeys: {
        const auto slot = static_cast<std::uint32_t>(at);
        if (auto* row = export_owner(tables.reach(slot).key(), tables.now(), clock, rows))
          row->key = roster.slots[slot].id;
        break;
      }
      case Table::kGroups: {
        const QuotaGroup& group = roster.groups[at];
        if (auto* row = export_owner(ReadOnlyReach::Owner(group), tables.now(), clock, rows)) row->group = group.name;
        break;
      }
      case Table::kModels:
        tables.models.visit_place(
            at, [&](const ModelWaits::Pair& pair, const ModelWait& wait) { export_model(pair, wait, clock, rows); });
        break;
      case Table::kEnd:
        return false;
    }
  }
  return true;
}

void PoolRows::export_model(const ModelWaits::Pair& pair, const ModelWait& wait, const WallClock& clock,
                            std::vector<KeyStateRecord>& rows) const {
  if (!worth_keeping(wait.health)) return;
  const auto group = tables_.roster.group_of_owner.find(pair.owner.value);
  const bool of_group = (pair.owner.value & PairOwner::kGroupBit) != 0;
  if (of_group && group == tables_.roster.group_of_owner.end()) return;
  KeyStateRecord& row = rows.emplace_back(row_of(wait.health, clock));
  row.model = wait.model;
  if (of_group) {
    row.group = tables_.roster.groups[group->second].name;
  } else {
    row.key = KeyId{static_cast<std::int64_t>(pair.owner.value)};
  }
}

// Codes go into headers and logs as they are: whatever else the row holds, that is all it may be.
std::string_view PoolRows::kept(const std::string& reason) {
  const auto in_code = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  if (!std::ranges::all_of(reason, in_code)) return "restored";
  if (reasons_.size() >= kMostReasons && !reasons_.contains(reason)) return "restored";
  return *reasons_.insert(reason).first;
}

void PoolRows::merge(Health& health, const KeyStateRecord& row, const WallClock& clock, bool try_invalid) {
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
  if (try_invalid) arrange_trial(health, tables_.now());
}

void PoolRows::import_to(const WaitOwner& owner, const KeyStateRecord& row, const WallClock& clock, bool try_invalid) {
  if (!row.model.empty()) {
    owner.set_model_waits(true);
    merge(tables_.models.open(owner.pair(), ModelTag(row.model), tables_.now()).health, row, clock, try_invalid);
    return;
  }
  merge(owner.health(), row, clock, try_invalid);
  if (LimitAccount* limits = owner.limits()) {
    limits->restore(row.used_today, row.used_this_month, clock.steady(row.usage_at), tables_.now(), tables_.clock());
  }
}

void PoolRows::import(const KeyStateRecord& row, const WallClock& clock, bool try_invalid) {
  if (!row.group.empty()) {
    const auto group = tables_.roster.find_group(row.group);
    if (!group) return;
    import_to(WaitOwner(tables_.roster.groups[*group]), row, clock, try_invalid);
    // A model's wait says nothing about the members, who may be many.
    if (row.model.empty()) tables_.refresh_group(*group);
    return;
  }
  const auto slot = tables_.roster.find(row.key);
  if (!slot) return;
  import_to(tables_.reach(*slot).key(), row, clock, try_invalid);
  KeyRecord& record = tables_.roster.records[*slot];
  record.failures = std::max(record.failures, row.failures);
  record.reason = kept(row.reason);
  if (row.model.empty()) tables_.roster.slots[*slot].troubled = true;
  tables_.refresh(*slot);
}

}  // namespace akr
