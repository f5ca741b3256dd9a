#include "core/keys/pool/pool_status.hpp"

#include <string>

namespace akr {
namespace {

// Of a key, and of its group: what people read is no reason to walk over tens of thousands.
constexpr std::size_t kMostModelsCounted = 1000;
constexpr std::size_t kMostModelsTold = 100;  // with their names, which are copied under the pool's lock

}  // namespace

PoolCounts PoolStatus::counts() const {
  PoolCounts counts;
  const auto in = [this](KeyStanding standing) -> std::size_t { return tables_.in_standing(standing); };
  counts.total = tables_.slots();
  counts.disabled = tables_.slots() - tables_.enabled_keys();
  counts.active = in(KeyStanding::kUsable);
  counts.cooling = in(KeyStanding::kCooling);
  counts.exhausted = in(KeyStanding::kExhausted);
  counts.invalid = in(KeyStanding::kInvalid);
  counts.limited = in(KeyStanding::kLimited) + in(KeyStanding::kPaced) + in(KeyStanding::kBusy);
  counts.trial = in(KeyStanding::kTrial) + in(KeyStanding::kOnTrial);
  counts.in_flight = tables_.in_flight();
  return counts;
}

const Health& PoolStatus::worse_health(std::uint32_t slot) const {
  const Health* worse = &tables_.roster.records[slot].health;
  tables_.reach(slot).each([&](const ReadOnlyReach::Owner& owner) {
    if (owner.health().state > worse->state) worse = &owner.health();
  });
  return *worse;
}

std::string_view PoolStatus::reason(std::uint32_t slot) const {
  const std::string_view blamed = tables_.roster.records[slot].reason;
  return blamed.empty() ? worse_health(slot).reason : blamed;
}

KeyStatus PoolStatus::of(std::uint32_t slot, const PoolTables::Judgement& judgement) const {
  const Slot& own = tables_.roster.slots[slot];
  const KeyRecord& record = tables_.roster.records[slot];
  const Health& health = worse_health(slot);
  KeyStatus status{.state = health.state, .standing = own.standing, .reason = std::string(reason(slot))};
  if (health.since != TimePoint{}) status.since = health.since;
  if (judgement.wake != TimePoint{}) status.until = judgement.wake;
  if (health.state == KeyState::kCooling || health.state == KeyState::kExhausted) status.until = health.until;
  if (own.last_used_s > 0) status.last_used = TimePoint(std::chrono::seconds(own.last_used_s - 1));
  status.consecutive_failures = record.failures;
  status.in_flight = tables_.view(own).in_flight;
  status.last_status = record.last_status;
  status.last_error = record.last_error;
  add_model_waits(tables_.reach(slot), status);
  return status;
}

void PoolStatus::add_model_waits(const ReadOnlyReach& reach, KeyStatus& status) const {
  const auto add = [&](const ModelWait& wait) {
    const TimePoint now = tables_.now();
    const bool waits = peek(wait.health, now) == Gate::kShut || wait.paced_until > now;
    if (!waits) return;  // or a trial is running, and that is no wait
    ++status.cooling_models;
    if (status.model_waits.size() >= kMostModelsTold) return;
    const ModelHold hold = hold_of(wait, now);
    ModelWaitStatus& told = status.model_waits.emplace_back(wait.model, std::string(hold.reason));
    if (hold.by_clock) told.until = hold.until;
  };
  reach.each([&](const ReadOnlyReach::Owner& owner) {
    if (owner.model_waits()) tables_.models.for_each_of(owner.pair(), kMostModelsCounted, add);
  });
}

}  // namespace akr
