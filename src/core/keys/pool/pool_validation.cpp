#include "core/keys/pool/pool_validation.hpp"

#include <algorithm>

namespace akr {
namespace {

// Keys looked at per call, so that a background job is no pause for requests.
constexpr std::uint32_t kValidationScan = 4096;

constexpr Duration kValidateEvery = std::chrono::minutes(5);
// A provider that was confused for a moment is asked again before anybody misses the key.
constexpr Duration kValidateSoon[] = {std::chrono::seconds(10), std::chrono::minutes(1), std::chrono::minutes(10)};
constexpr Duration kValidateInvalidFirst = std::chrono::hours(1);
constexpr Duration kValidateInvalidLast = std::chrono::hours(24);

bool is_out(KeyStanding standing) {
  return standing == KeyStanding::kCooling || standing == KeyStanding::kExhausted ||
         standing == KeyStanding::kInvalid || standing == KeyStanding::kTrial;
}

}  // namespace

void PoolValidation::schedule(KeyRecord& record, TimePoint now) const {
  if (record.health.state != KeyState::kInvalid) {
    record.validate_at = now + kValidateEvery;
    return;
  }
  std::size_t turn = record.validations;
  if (free_call_ && turn < std::size(kValidateSoon)) {
    record.validate_at = now + kValidateSoon[turn];
    return;
  }
  if (free_call_) turn -= std::size(kValidateSoon);
  Duration wait = kValidateInvalidFirst;
  for (; turn > 0 && wait < kValidateInvalidLast; --turn) wait *= 2;
  record.validate_at = now + std::min(wait, kValidateInvalidLast);
}

std::vector<KeyId> PoolValidation::due(std::size_t limit, TimePoint now) {
  tables_.tick(now);
  tables_.advance(kValidationScan);
  const std::uint32_t slots = tables_.slots();
  std::vector<KeyId> due;
  for (std::uint32_t looked = 0; looked < std::min(slots, kValidationScan) && due.size() < limit; ++looked) {
    if (cursor_ >= slots) cursor_ = 0;
    const Slot& own = tables_.roster.slots[cursor_];
    KeyRecord& record = tables_.roster.records[cursor_++];
    if (!is_out(own.standing) || tables_.now() < record.validate_at) continue;
    record.validations = static_cast<std::uint8_t>(std::min(record.validations + 1, 16));
    schedule(record, tables_.now());
    due.push_back(own.id);
  }
  return due;
}

Result<KeyClaim> PoolValidation::take(KeyId id, TimePoint now) {
  tables_.tick(now);
  const auto slot = tables_.roster.find(id);
  if (!slot || !tables_.roster.slots[*slot].readable)
    return Error{.code = ErrorCode::kNotFound, .message = "The service has no such key."};
  Slot& own = tables_.roster.slots[*slot];
  KeyClaim claim{.key = own.key, .slot = *slot, .ticket = tables_.next_ticket(), .trials = kValidation};
  ++tables_.view(own).in_flight;
  tables_.attempt_began();
  KeyRecord& record = tables_.roster.records[*slot];
  ++record.probing;
  if (record.health.state != KeyState::kActive && !record.health.on_trial) {
    record.health.on_trial = true;
    claim.trials |= kTrialOfKey;
    tables_.refresh(*slot);
  }
  return claim;
}

void PoolValidation::let_request_try(KeyId id, TimePoint now) {
  tables_.tick(now);
  const auto slot = tables_.roster.find(id);
  if (!slot) return;
  tables_.reach(*slot).each([&](const WaitOwner& owner) { arrange_trial(owner.health(), tables_.now()); });
  tables_.changed();
  tables_.refresh_reach(*slot);
}

}  // namespace akr
