#include "core/keys/pool/health.hpp"

#include <algorithm>

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kShortestWait = seconds(1);
constexpr Duration kRateDefault = seconds(60);
constexpr Duration kRateLongest = seconds(900);
constexpr Duration kRateHintLongest = hours(1);
constexpr Duration kForbiddenWait = seconds(300);
constexpr Duration kQuotaDefault = hours(1);
constexpr Duration kQuotaLongest = hours(24);
constexpr Duration kQuotaHintLongest = hours(24 * 32);  // spend limits end with the month
constexpr Duration kTrialEvery = hours(1);
constexpr Duration kRefusalWindow = minutes(10);
constexpr int kForbiddenLimit = 3;

Duration doubled(Duration first, std::uint8_t level, Duration longest) {
  Duration wait = first;
  for (int i = 1; i < level && wait < longest; ++i) wait *= 2;
  return std::min(wait, longest);
}

bool fresh(const Health& health, const Blame& blame) { return blame.claim > health.ticket; }

std::uint8_t escalated(std::uint8_t level, bool is_fresh) {
  if (level > 0 && !is_fresh) return level;
  return static_cast<std::uint8_t>(std::min(level + 1, 16));
}

void enter(Health& health, KeyState state, const Blame& blame) {
  if (state > health.state) {  // active < cooling < exhausted < invalid: the worse one stays
    health.state = state;
    health.since = blame.now;
  }
  health.ticket = blame.last_claim;
  health.on_trial = false;
}

void wait(Health& health, KeyState state, TimePoint until, TimePoint next_try, const Blame& blame) {
  gate(health, blame.now);  // a wait that is over must not lend its `since` to the new one
  enter(health, state, blame);
  health.until = std::max(health.until, until);
  health.next_try = std::max(health.next_try, next_try);
}

void rest(Health& health, Duration asked, const Blame& blame) {
  const TimePoint until = blame.now + std::clamp(asked, kShortestWait, kRateHintLongest);
  wait(health, KeyState::kCooling, until, until, blame);
  // An absurd hint is not believed for ever: after an hour one request finds out (scenario 14).  classify() has cut it
  // to just that hour.
  if (asked >= kRateHintLongest) health.half_open = true;
}

void cool(Health& health, const Verdict& verdict, const Blame& blame) {
  Duration asked = verdict.cool_for.value_or(kRateDefault);
  if (!verdict.announced()) {
    if (blame.sole_key) return;
    health.rate_level = escalated(health.rate_level, fresh(health, blame));
    asked = doubled(asked, health.rate_level, std::max(asked, kRateLongest));
  }
  rest(health, asked, blame);
  health.lacks_model = verdict.lacks_model;
}

void exhaust(Health& health, std::optional<Duration> hint, const Blame& blame) {
  if (!hint) health.quota_level = escalated(health.quota_level, fresh(health, blame));
  const Duration asked = hint.value_or(doubled(kQuotaDefault, health.quota_level, kQuotaLongest));
  const Duration total = std::clamp(asked, kShortestWait, kQuotaHintLongest);
  wait(health, KeyState::kExhausted, blame.now + total, blame.now + std::min(total, kTrialEvery), blame);
  health.half_open = true;
}

void invalidate(Health& health, const Blame& blame) {
  const bool was_tried = health.state == KeyState::kInvalid && health.half_open;
  if (health.state != KeyState::kInvalid) health.quota_level = 0;
  enter(health, KeyState::kInvalid, blame);
  health.until = {};
  health.next_try = {};
  health.half_open = blame.try_invalid || was_tried;
  if (!health.half_open) return;
  health.quota_level = escalated(health.quota_level, true);
  health.next_try = blame.now + doubled(kQuotaDefault, health.quota_level, kQuotaLongest);
}

void suspect(Health& health, const Blame& blame) {
  if (blame.now - health.refused_at > kRefusalWindow) health.refused = 0;
  health.refused_at = blame.now;
  health.refused = static_cast<std::uint8_t>(std::min(health.refused + 1, 100));
  if (blame.auto_disable && health.refused >= blame.invalid_after) invalidate(health, blame);
}

void forbid(Health& health, const Verdict& verdict, const Blame& blame) {
  // A burst of requests that were under way together is one refusal, not three.
  if (fresh(health, blame)) health.forbidden = static_cast<std::uint8_t>(std::min(health.forbidden + 1, 100));
  if (blame.auto_disable && health.forbidden >= kForbiddenLimit) return exhaust(health, kQuotaDefault, blame);
  if (verdict.announced()) return cool(health, verdict, blame);
  if (blame.sole_key) return;
  rest(health, verdict.cool_for.value_or(kForbiddenWait), blame);
  health.lacks_model = false;
}

}  // namespace

Gate peek(const Health& health, TimePoint now) {
  switch (health.state) {
    case KeyState::kActive:
      return Gate::kOpen;
    case KeyState::kInvalid:
      if (health.on_trial) return Gate::kOnTrial;
      return health.half_open && now >= health.next_try ? Gate::kTrial : Gate::kShut;
    case KeyState::kCooling:
    case KeyState::kExhausted:
      break;
  }
  if (now < health.next_try) return health.on_trial ? Gate::kOnTrial : Gate::kShut;
  if (health.half_open) return health.on_trial ? Gate::kOnTrial : Gate::kTrial;
  return Gate::kOpen;
}

Gate gate(Health& health, TimePoint now) {
  const Gate state = peek(health, now);
  if (state != Gate::kOpen || health.state == KeyState::kActive) return state;
  health.state = KeyState::kActive;  // levels stay: only a success proves that the wait was long enough
  health.since = health.until;
  return state;
}

void punish(Health& health, const Verdict& verdict, const Blame& blame) {
  ++health.failures;
  health.reason = verdict.reason;
  if (health.state == KeyState::kInvalid) {
    if (blame.claim <= health.ticket) return;
    health.on_trial = false;
    if (blame.try_invalid || health.half_open) invalidate(health, blame);
    return;
  }
  switch (verdict.key) {
    case KeyAction::kNone:
    case KeyAction::kGood:
      return;
    case KeyAction::kCool:
      return cool(health, verdict, blame);
    case KeyAction::kExhaust:
      if (!blame.auto_disable) return cool(health, verdict, blame);
      return exhaust(health, verdict.announced() ? verdict.cool_for : std::nullopt, blame);
    case KeyAction::kSuspect:
      return suspect(health, blame);
    case KeyAction::kForbid:
      return forbid(health, verdict, blame);
    case KeyAction::kInvalidate:
      if (blame.auto_disable) invalidate(health, blame);
      return;
  }
}

void arrange_trial(Health& invalid, TimePoint now) {
  if (invalid.state != KeyState::kInvalid || invalid.half_open) return;
  invalid.half_open = true;
  invalid.next_try = now + kTrialEvery;
}

bool forgive(Health& health, std::uint64_t claim, TimePoint now) {
  health.refused = 0;
  health.forbidden = 0;
  health.failures = 0;
  if (claim <= health.ticket) return false;
  const bool waited = health.state != KeyState::kActive;
  // The ticket stays: attempts from before the last wait are old news even after a success.
  health = Health{.ticket = health.ticket, .since = waited ? now : health.since};
  return true;
}

}  // namespace akr
