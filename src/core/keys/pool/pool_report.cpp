// What an attempt's verdict does to the key, its group and its model.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "core/keys/pool/pool_state.hpp"
#include "core/keys/selection/latency.hpp"

namespace akr {
namespace {

constexpr Duration kPaceLongest = std::chrono::hours(1);
constexpr std::size_t kMostErrorBytes = 500;
constexpr Duration kAddressRefusedWait = std::chrono::minutes(10);

bool of_group(Scope scope) { return scope == Scope::kGroup || scope == Scope::kGroupModel; }
bool of_model(Scope scope) { return scope == Scope::kKeyModel || scope == Scope::kGroupModel; }

bool pristine(const KeyRecord& record, TimePoint now) {
  return record.failures == 0 && record.health.state == KeyState::kActive && record.health.failures == 0 &&
         record.health.rate_level == 0 && record.health.quota_level == 0 && record.paced_until <= now &&
         OutageGuard::acquitted(record.mark);
}

Scope effective_scope(const Verdict& verdict, bool grouped, bool model_known) {
  if (verdict.key == KeyAction::kSuspect) return Scope::kKey;
  const bool of_quota = verdict.key == KeyAction::kCool || verdict.key == KeyAction::kExhaust;
  // Keys of a group share one quota: what one of them used up, none of them has.
  const bool whole_group = grouped && (of_quota || of_group(verdict.scope));
  if (of_model(verdict.scope) && model_known) return whole_group ? Scope::kGroupModel : Scope::kKeyModel;
  return whole_group ? Scope::kGroup : Scope::kKey;
}

}  // namespace

void PoolState::report(const KeyClaim& claim, const Verdict& verdict, TimePoint now) {
  tick(now);
  if (verdict.key == KeyAction::kNone) {
    if (verdict.refuses_address && settings_.outage_guard) address_refused(claim, verdict);
    return;
  }
  if (verdict.key == KeyAction::kGood) guard_.succeeded(tables_.last_ticket());
  const auto slot = tables_.locate(claim);
  if (!slot) return;
  if (verdict.key == KeyAction::kGood) return succeeded(*slot, claim);
  failed(*slot, claim, verdict);
}

void PoolState::succeeded(std::uint32_t slot, const KeyClaim& claim) {
  Slot& own = tables_.roster.slots[slot];
  chooser_.remember(claim.affinity, slot);
  if (claim.model.hash() != 0 && !tables_.models.empty()) forgive_models(tables_.reach(slot), claim);
  if (own.group != kNowhere && tables_.roster.groups[own.group].health.failures > 0) {
    if (forgive(tables_.roster.groups[own.group].health, claim.ticket, tables_.now())) tables_.refresh_group(own.group);
    tables_.changed();
  }
  if (!own.troubled) return;
  KeyRecord& record = tables_.roster.records[slot];
  record.failures = 0;
  const bool asked_for_nothing = (claim.trials & kValidation) != 0;  // that the key is known says little
  if (!asked_for_nothing) OutageGuard::acquit(record.mark, claim.model.hash(), tables_.now());
  if (forgive(record.health, claim.ticket, tables_.now())) record.validations = 0;
  own.troubled = !pristine(record, tables_.now());
  tables_.changed();
  tables_.refresh(slot);
}

void PoolState::forgive_models(const Reach& reach, const KeyClaim& claim) {
  const std::uint64_t model = claim.model.hash();
  reach.each([&](const WaitOwner& owner) {
    ModelWait* wait = owner.model_waits() ? tables_.models.find(owner.pair(), model) : nullptr;
    if (wait == nullptr || !forgive(wait->health, claim.ticket, tables_.now())) return;
    if (wait->paced_until <= tables_.now()) tables_.models.erase(owner.pair(), model);
    tables_.model_joined();
    tables_.changed();
  });
}

// REQUIRES: the slot has a group if the scope is one.
Health& PoolState::target(std::uint32_t slot, Scope scope, const ModelTag& model) {
  const Reach reach = tables_.reach(slot);
  const WaitOwner owner = of_group(scope) ? reach.payer() : reach.key();
  if (!of_model(scope)) return owner.health();
  owner.set_model_waits(true);
  return tables_.models.open(owner.pair(), model, tables_.now()).health;
}

void PoolState::failed(std::uint32_t slot, const KeyClaim& claim, const Verdict& verdict) {
  Slot& own = tables_.roster.slots[slot];
  KeyRecord& record = tables_.roster.records[slot];
  const bool counts = settings_.outage_guard && OutageGuard::counts(verdict);
  const Scope scope = effective_scope(verdict, own.group != kNowhere, claim.model.hash() != 0);
  const OutageGuard::Class what = OutageGuard::class_of(verdict);
  if (counts && guard_.is_known(what, scope, claim.model.hash(), claim.ticket)) {  // the upstream is to blame
    own.troubled = true;
    return guard_.failed_again(what, {own.id, scope, claim.model, {}}, own.tier, record.mark, tables_.now());
  }
  ++record.failures;
  record.reason = verdict.reason;
  own.troubled = true;
  Health& health = target(slot, scope, claim.model);
  const Health before = health;
  punish(health, verdict,
         {.now = tables_.now(),
          .claim = claim.ticket,
          .last_claim = tables_.last_ticket(),
          .auto_disable = settings_.auto_disable,
          .invalid_after = settings_.invalid_after,
          .try_invalid = settings_.try_invalid,
          .sole_key = sole_key()});
  if (before.state != health.state) record.validations = 0;
  validation_.schedule(record, tables_.now());
  tables_.changed();
  if (scope == Scope::kGroup) {
    tables_.refresh_group(own.group);
  } else {
    tables_.refresh(slot);
  }
  if (!counts) return;
  const OutageGuard::Failure failure = {what, verdict.reason, {own.id, scope, claim.model, before}, health.next_try};
  if (!guard_.failed(failure, record.mark, tables_.enabled_keys(), tables_.now())) return;
  for (const Penalty& each : guard_.take_penalties()) take_back(each);
}

// Nobody's fault, whichever key it came with - unless others are served while this one is refused again.
void PoolState::address_refused(const KeyClaim& claim, const Verdict& verdict) {
  const auto slot = tables_.locate(claim);
  if (!slot) return;
  OutageGuard::Mark& mark = tables_.roster.records[*slot].mark;
  const bool believed = guard_.believes(mark, OutageGuard::Class::kAddress, tables_.now());
  if (believed && !guard_.suspected()) {
    Verdict rest = verdict;
    rest.key = KeyAction::kCool;
    rest.cool_for = kAddressRefusedWait;
    rest.wait_from = WaitSource::kDefault;
    return failed(*slot, claim, rest);
  }
  guard_.address_refused(verdict.reason, tables_.roster.slots[*slot].tier, mark, tables_.now());
  if (guard_.suspected()) tables_.roster.slots[*slot].troubled = true;
}

bool PoolState::sole_key() const { return tables_.enabled_keys() - tables_.in_standing(KeyStanding::kInvalid) <= 1; }

void PoolState::take_back(const Penalty& penalty) {
  const auto slot = tables_.roster.find(penalty.key);
  if (!slot) return;
  guard_.note_failed_in(tables_.roster.slots[*slot].tier);
  if (of_group(penalty.scope) && !tables_.reach(*slot).grouped()) return;
  Health& health = target(*slot, penalty.scope, penalty.model);
  health = penalty.before;
  health.on_trial = false;
  tables_.roster.records[*slot].failures = penalty.before.failures;
  if (of_model(penalty.scope)) tables_.model_joined();
  tables_.refresh_reach(*slot);
}

void PoolState::note_failure(const KeyClaim& claim, int status, std::string_view redacted) {
  const auto slot = tables_.locate(claim);
  if (!slot) return;
  KeyRecord& record = tables_.roster.records[*slot];
  record.last_status = status;
  record.last_error = cut_utf8(valid_utf8(std::string(redacted)), kMostErrorBytes);
}

void PoolState::observe_latency(const KeyClaim& claim, Duration first_byte, TimePoint now) {
  tick(now);
  const auto slot = tables_.locate(claim);
  if (!slot) return;
  using Milliseconds = std::chrono::duration<float, std::milli>;
  using Seconds = std::chrono::duration<float>;
  KeyView& own = tables_.view(tables_.roster.slots[*slot]);
  const TimePoint last = std::exchange(tables_.roster.records[*slot].latency_at, tables_.now());
  // Never 0: that would mean "not known yet".
  const float sample = std::max(0.001F, std::chrono::duration_cast<Milliseconds>(first_byte).count());
  const auto since = std::chrono::duration_cast<Seconds>(tables_.now() - last);
  own.latency_ms = peak_ewma(own.latency_ms, sample, since.count());
}

void PoolState::pace(const KeyClaim& claim, Duration reset_in, TimePoint now) {
  tick(now);
  const auto slot = tables_.locate(claim);
  if (!slot || reset_in <= Duration::zero()) return;
  const TimePoint until = tables_.now() + std::min(reset_in, kPaceLongest);
  const WaitOwner payer = tables_.reach(*slot).payer();
  if (claim.model.hash() != 0) {
    payer.set_model_waits(true);
    ModelWait& wait = tables_.models.open(payer.pair(), claim.model, tables_.now());
    wait.paced_until = std::max(wait.paced_until, until);
    return;
  }
  payer.paced_until() = std::max(payer.paced_until(), until);
  tables_.roster.slots[*slot].troubled = true;
  tables_.refresh_reach(*slot);
}

void PoolState::count_tokens(KeyClaim& claim, std::uint64_t tokens, TimePoint now) {
  tick(now);
  const auto slot = tables_.locate(claim);
  LimitAccount* limits = slot ? tables_.limits_of(*slot) : nullptr;
  if (limits == nullptr) return;
  limits->correct_tokens(claim.tokens, tokens, tables_.now());
  claim.tokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, 0xffff'ffff));
  tables_.refresh_reach(*slot);
}

}  // namespace akr
