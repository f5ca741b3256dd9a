// What people set, see and undo.
#include <string>

#include "core/keys/pool/pool_state.hpp"
#include "core/keys/pool/pool_status.hpp"

namespace akr {

PoolState::PoolState(std::uint64_t seed)
    : tables_(seed, find_selection_policy(settings_.policy)),
      chooser_(seed, tables_),
      validation_(tables_),
      rows_(tables_) {}

Result<void> PoolState::configure(const PoolSettings& settings) {
  const PolicyEntry* policy = find_selection_policy(settings.policy);
  if (policy == nullptr) {
    return Error{.code = ErrorCode::kInvalid,
                 .message = "There is no selection policy '" + settings.policy + "'.",
                 .field = "selection_policy"};
  }
  if (settings.invalid_after < 1 || settings.invalid_after > 10)
    return Error{.code = ErrorCode::kInvalid, .message = "invalid_after is 1 to 10.", .field = "invalid_after"};
  settings_ = settings;
  validation_.ask_soon(settings.free_call);
  if (!settings_.outage_guard) guard_.succeeded(tables_.last_ticket());
  for (std::uint32_t slot = 0; settings_.try_invalid && slot < tables_.slots(); ++slot) {
    Health& health = tables_.roster.records[slot].health;
    if (health.state != KeyState::kInvalid) continue;
    arrange_trial(health, tables_.now());
    tables_.refresh(slot);
  }
  tables_.set_policy(policy);
  return {};
}

// Of a key that is gone it is the one that it was in.
std::uint64_t PoolState::account_of(KeyId id, std::uint64_t before) const {
  const auto slot = tables_.roster.find(id);
  return slot ? tables_.roster.account_of(*slot) : before;
}

void PoolState::set_wall_clock(TimePoint now, WallTime wall, std::chrono::seconds utc_offset) {
  tick(now);
  WallClock clock = WallClock::at(now, wall);
  clock.utc_offset = utc_offset;
  tables_.set_wall_clock(clock);
}

void PoolState::adopt(Roster&& roster) {
  guard_.forget_wave();  // its marks lie in the records that go
  tables_.adopt(std::move(roster));
}

bool PoolState::append(Roster&& more) {
  if (!tables_.append(std::move(more))) return false;
  guard_.forget_wave();  // its marks lie in the records, which may have moved
  return true;
}

PoolCounts PoolState::counts(TimePoint now) {
  tick(now);
  tables_.advance(tables_.slots());
  return PoolStatus(tables_).counts();
}

std::optional<KeyStatus> PoolState::status(KeyId id, TimePoint now) {
  tick(now);
  const auto slot = tables_.roster.find(id);
  if (!slot) return std::nullopt;
  const PoolTables::Judgement judgement = tables_.refresh(*slot);
  return PoolStatus(tables_).of(*slot, judgement);
}

void PoolState::import(const KeyStateRecord& row, const WallClock& clock) {
  rows_.import(row, clock, settings_.try_invalid);
}

void PoolState::reset_slot(std::uint32_t slot) {
  // Claims that began before say nothing about the key that was reset.
  tables_.reach(slot).each([&](const WaitOwner& owner) {
    owner.health() = Health{.ticket = tables_.last_ticket(), .since = tables_.now()};
    owner.paced_until() = {};
    if (owner.model_waits()) tables_.models.erase_all_of(owner.pair());
    owner.set_model_waits(false);
  });
  KeyRecord& record = tables_.roster.records[slot];
  record.failures = 0;
  record.validations = 0;
  tables_.roster.slots[slot].troubled = false;
}

void PoolState::reset(KeyId id, TimePoint now) {
  tick(now);
  const auto slot = tables_.roster.find(id);
  if (!slot) return;
  reset_slot(*slot);
  tables_.model_joined();
  tables_.changed();
  tables_.refresh_reach(*slot);
}

void PoolState::reset_all(TimePoint now) {
  tick(now);
  tables_.models.clear();
  guard_.succeeded(tables_.last_ticket());
  for (std::uint32_t slot = 0; slot < tables_.slots(); ++slot) reset_slot(slot);
  for (std::uint32_t slot = 0; slot < tables_.slots(); ++slot) tables_.refresh(slot);
  tables_.model_joined();
  tables_.changed();
}

}  // namespace akr
