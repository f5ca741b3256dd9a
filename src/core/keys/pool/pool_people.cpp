// What people see and change, and what background validation needs.
#include <algorithm>

#include "core/keys/pool/pool_state.hpp"

namespace akr {
namespace {

// Keys looked at per call, so that a background job is no pause for requests.
constexpr std::uint32_t kValidationScan = 4096;

// Of a key, and of its group: what people read is no reason to walk over tens of thousands.
constexpr std::size_t kMostModelsCounted = 1000;

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
  if (own.model_waits) status.cooling_models = cooling_models(PairOwner::of(own.id));
  if (own.group == kNowhere || !roster_.groups[own.group].model_waits) return status;
  status.cooling_models += cooling_models(PairOwner::of_group(roster_.groups[own.group].name));
  return status;
}

std::uint32_t PoolState::cooling_models(PairOwner owner) {
  std::uint32_t count = 0;
  models_.for_each_of(owner, kMostModelsCounted, [&](ModelWait& wait) {
    if (gate(wait.health, now_) == Gate::kShut || wait.paced_until > now_) ++count;
  });
  return count;
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

}  // namespace akr
