// What people see and change, what background validation needs, and what survives a restart.
#include <algorithm>

#include "core/pool/pool_state.hpp"

namespace akr {
namespace {

// Keys looked at per call, so that a background job is no pause for requests.
constexpr std::uint32_t kValidationScan = 4096;
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

void merge(Health& health, const KeyStateRecord& row, std::string_view reason, const WallClock& clock) {
  if (row.state > health.state) {
    health.state = row.state;
    health.since = clock.steady(row.since);
    health.reason = reason;
  }
  health.until = std::max(health.until, clock.steady(row.until));
  health.next_try = std::max(health.next_try, clock.steady(row.next_try));
  health.half_open = health.half_open || row.half_open;
  health.rate_level = std::max(health.rate_level, static_cast<std::uint8_t>(std::min(row.rate_level, 16U)));
  health.quota_level = std::max(health.quota_level, static_cast<std::uint8_t>(std::min(row.quota_level, 16U)));
  health.failures = std::max(health.failures, row.failures);
}

}  // namespace

PoolCounts PoolState::counts(TimePoint now) {
  tick(now);
  advance(slots());
  PoolCounts counts;
  counts.total = slots();
  counts.disabled = slots() - enabled_keys();
  counts.active = in_standing(KeyStanding::kUsable);
  counts.cooling = in_standing(KeyStanding::kCooling);
  counts.exhausted = in_standing(KeyStanding::kExhausted);
  counts.invalid = in_standing(KeyStanding::kInvalid);
  counts.limited =
      in_standing(KeyStanding::kLimited) + in_standing(KeyStanding::kPaced) + in_standing(KeyStanding::kBusy);
  counts.trial = in_standing(KeyStanding::kTrial) + in_standing(KeyStanding::kOnTrial);
  counts.in_flight = in_flight_;
  return counts;
}

std::optional<KeyStatus> PoolState::status(KeyId id, TimePoint now) {
  tick(now);
  const auto slot = roster_.find(id);
  if (!slot) return std::nullopt;
  refresh(*slot);
  Slot& own = roster_.slots[*slot];
  const KeyRecord& record = roster_.records[*slot];
  const Health* health = &record.health;
  if (own.group != kNowhere && roster_.groups[own.group].health.state > health->state)
    health = &roster_.groups[own.group].health;

  KeyStatus status{.state = health->state, .standing = own.standing, .reason = std::string(record.reason)};
  if (status.reason.empty()) status.reason = health->reason;
  if (health->since != TimePoint{}) status.since = health->since;
  const Judgement judgement = judge(*slot);
  if (judgement.wake != TimePoint{}) status.until = judgement.wake;
  if (health->state == KeyState::kCooling || health->state == KeyState::kExhausted) status.until = health->until;
  if (own.last_used_s > 0) status.last_used = TimePoint(std::chrono::seconds(own.last_used_s - 1));
  status.consecutive_failures = record.failures;
  status.in_flight = view(own).in_flight;
  status.last_status = record.last_status;
  status.last_error = record.last_error;
  const PairOwner group = own.group == kNowhere ? PairOwner{} : PairOwner::of_group(roster_.groups[own.group].name);
  models_.for_each([&](const ModelWaits::Pair& pair, ModelWait& wait) {
    const bool mine = pair.owner == PairOwner::of(own.id) || (own.group != kNowhere && pair.owner == group);
    if (mine && (gate(wait.health, now_) == Gate::kShut || wait.paced_until > now_)) ++status.cooling_models;
  });
  return status;
}

void PoolState::reset_slot(std::uint32_t slot) {
  Slot& own = roster_.slots[slot];
  KeyRecord& record = roster_.records[slot];
  // Claims that began before say nothing about the key that was reset.
  record.health = Health{.ticket = tickets_, .since = now_};
  record.paced_until = {};
  record.failures = 0;
  record.validations = 0;
  own.troubled = false;
  if (own.model_waits) models_.erase_all_of(PairOwner::of(own.id));
  own.model_waits = false;
  if (own.group == kNowhere) return;
  QuotaGroup& group = roster_.groups[own.group];
  group.health = Health{.ticket = tickets_, .since = now_};
  group.paced_until = {};
  if (group.model_waits) models_.erase_all_of(PairOwner::of_group(group.name));
  group.model_waits = false;
}

void PoolState::reset(KeyId id, TimePoint now) {
  tick(now);
  const auto slot = roster_.find(id);
  if (!slot) return;
  reset_slot(*slot);
  ++joins_;
  ++version_;
  refresh_reach(*slot);
}

void PoolState::reset_all(TimePoint now) {
  tick(now);
  models_.clear();
  guard_.succeeded();
  for (std::uint32_t slot = 0; slot < slots(); ++slot) reset_slot(slot);
  for (std::uint32_t slot = 0; slot < slots(); ++slot) refresh(slot);
  ++joins_;
  ++version_;
}

std::vector<KeyId> PoolState::due_for_validation(std::size_t limit, TimePoint now) {
  tick(now);
  advance(kValidationScan);
  std::vector<KeyId> due;
  for (std::uint32_t looked = 0; looked < std::min(slots(), kValidationScan) && due.size() < limit; ++looked) {
    if (validation_cursor_ >= slots()) validation_cursor_ = 0;
    const Slot& own = roster_.slots[validation_cursor_];
    KeyRecord& record = roster_.records[validation_cursor_++];
    const bool out = own.standing == KeyStanding::kCooling || own.standing == KeyStanding::kExhausted ||
                     own.standing == KeyStanding::kInvalid || own.standing == KeyStanding::kTrial;
    if (!out || now_ < record.validate_at) continue;
    record.validations = static_cast<std::uint8_t>(std::min(record.validations + 1, 16));
    schedule_validation(record);
    due.push_back(own.id);
  }
  return due;
}

void PoolState::let_request_try(KeyId id, TimePoint now) {
  tick(now);
  const auto slot = roster_.find(id);
  if (!slot) return;
  arrange_trial(roster_.records[*slot].health, now_);
  const std::uint32_t group = roster_.slots[*slot].group;
  if (group != kNowhere) arrange_trial(roster_.groups[group].health, now_);
  ++version_;
  refresh_reach(*slot);
}

Result<KeyClaim> PoolState::take_for_validation(KeyId id, TimePoint now) {
  tick(now);
  const auto slot = roster_.find(id);
  if (!slot || !roster_.slots[*slot].readable)
    return Error{.code = ErrorCode::kNotFound, .message = "The service has no such key."};
  Slot& own = roster_.slots[*slot];
  KeyClaim claim{.key = own.key, .slot = *slot, .ticket = ++tickets_, .trials = kReachValidation};
  ++view(own).in_flight;
  ++in_flight_;
  KeyRecord& record = roster_.records[*slot];
  ++record.probing;
  if (record.health.state != KeyState::kActive && !record.health.on_trial) {
    record.health.on_trial = true;
    claim.trials |= kReachKey;
    refresh(*slot);
  }
  return claim;
}

void PoolState::export_keys(std::uint32_t from, std::uint32_t count, const WallClock& clock,
                            std::vector<KeyStateRecord>& rows) {
  const std::uint32_t end = std::min(slots(), from + std::min(count, slots()));
  for (std::uint32_t i = from; i < end; ++i) {
    const Slot& own = roster_.slots[i];
    const KeyRecord& record = roster_.records[i];
    const LimitAccount* account = own.limited && own.group == kNowhere ? &roster_.accounts[i] : nullptr;
    const bool used = account != nullptr && account->used_this_month() > 0;
    if (!used && !(own.troubled && worth_keeping(record.health))) continue;
    KeyStateRecord& row = rows.emplace_back(row_of(record.health, clock));
    row.key = own.id;
    row.usage_at = clock.wall(now_);
    if (!used) continue;
    row.used_today = account->used_today();
    row.used_this_month = account->used_this_month();
  }
}

void PoolState::export_shared(const WallClock& clock, std::vector<KeyStateRecord>& rows) {
  std::unordered_map<std::uint64_t, const QuotaGroup*> groups;
  for (const QuotaGroup& group : roster_.groups) {
    groups.emplace(PairOwner::of_group(group.name).value, &group);
    const bool used = group.account && group.account->used_this_month() > 0;
    if (!used && !worth_keeping(group.health)) continue;
    KeyStateRecord& row = rows.emplace_back(row_of(group.health, clock));
    row.group = group.name;
    row.usage_at = clock.wall(now_);
    row.used_today = used ? group.account->used_today() : 0;
    row.used_this_month = used ? group.account->used_this_month() : 0;
  }
  models_.for_each([&](const ModelWaits::Pair& pair, const ModelWait& wait) {
    const bool of_group = (pair.owner.value & PairOwner::kGroupBit) != 0;
    if (!worth_keeping(wait.health) || (of_group && !groups.contains(pair.owner.value))) return;
    KeyStateRecord& row = rows.emplace_back(row_of(wait.health, clock));
    row.model = wait.model;
    if (of_group) {
      row.group = groups.at(pair.owner.value)->name;
    } else {
      row.key = KeyId{static_cast<std::int64_t>(pair.owner.value)};
    }
  });
}

std::string_view PoolState::kept(const std::string& reason) {
  if (reasons_.size() >= kMostReasons && !reasons_.contains(reason)) return "restored";
  return *reasons_.insert(reason).first;
}

void PoolState::import(const KeyStateRecord& row, const WallClock& clock) {
  const auto group = std::find_if(roster_.groups.begin(), roster_.groups.end(),
                                  [&row](const QuotaGroup& each) { return each.name == row.group; });
  const auto slot = roster_.find(row.key);
  if (row.group.empty() ? !slot : group == roster_.groups.end()) return;
  Health* health = row.group.empty() ? &roster_.records[*slot].health : &group->health;
  if (!row.model.empty()) {
    const PairOwner owner = row.group.empty() ? PairOwner::of(row.key) : PairOwner::of_group(row.group);
    health = &models_.open(owner, ModelTag(row.model), now_).health;
    if (row.group.empty()) {
      roster_.slots[*slot].model_waits = true;
    } else {
      group->model_waits = true;
    }
  }
  merge(*health, row, kept(row.reason), clock);
  if (settings_.try_invalid) arrange_trial(*health, now_);
  if (row.group.empty() && row.model.empty() && roster_.slots[*slot].limited &&
      roster_.slots[*slot].group == kNowhere) {
    roster_.accounts[*slot].restore(row.used_today, row.used_this_month, clock.steady(row.usage_at), now_, clock_);
  }
  if (!row.group.empty() && row.model.empty() && group->account)
    group->account->restore(row.used_today, row.used_this_month, clock.steady(row.usage_at), now_, clock_);
  if (!row.group.empty()) return refresh_group(static_cast<std::uint32_t>(group - roster_.groups.begin()));
  KeyRecord& record = roster_.records[*slot];
  record.failures = std::max(record.failures, row.failures);
  record.reason = kept(row.reason);
  if (row.model.empty()) roster_.slots[*slot].troubled = true;
  refresh(*slot);
}

}  // namespace akr
