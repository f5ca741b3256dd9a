// What an attempt's verdict does to the key, its group and its model; and what happens when the attempt is over.
#include <algorithm>

#include "base/utf8.hpp"
#include "core/keys/pool/pool_state.hpp"
#include "core/keys/selection/latency.hpp"

namespace akr {
namespace {

constexpr Duration kPaceLongest = std::chrono::hours(1);
constexpr std::size_t kMostErrorBytes = 500;
constexpr Duration kValidateEvery = std::chrono::minutes(5);
constexpr Duration kValidateInvalidFirst = std::chrono::hours(1);
constexpr Duration kValidateInvalidLast = std::chrono::hours(24);

bool pristine(const KeyRecord& record, TimePoint now) {
  return record.failures == 0 && record.health.state == KeyState::kActive && record.health.failures == 0 &&
         record.health.rate_level == 0 && record.health.quota_level == 0 && record.paced_until <= now;
}

}  // namespace

std::optional<std::uint32_t> PoolState::locate(const KeyClaim& claim) const {
  if (claim.slot < roster_.slots.size() && roster_.slots[claim.slot].key == claim.key) return claim.slot;
  // The keys were replaced meanwhile.  A key that got a new secret is another key: this attempt says nothing about it.
  const auto slot = roster_.find(claim.key->id);
  if (!slot || roster_.slots[*slot].key != claim.key) return std::nullopt;
  return slot;
}

void PoolState::report(const KeyClaim& claim, const Verdict& verdict, TimePoint now) {
  tick(now);
  if (verdict.key == KeyAction::kNone) return;
  if (verdict.key == KeyAction::kGood) guard_.succeeded();
  const auto slot = locate(claim);
  if (!slot) return;
  if (verdict.key == KeyAction::kGood) return succeeded(*slot, claim);
  failed(*slot, claim, verdict);
}

void PoolState::succeeded(std::uint32_t slot, const KeyClaim& claim) {
  Slot& own = roster_.slots[slot];
  if (claim.affinity != 0 && policy_->keeps_affinity) affinity_.pin(claim.affinity, {own.id, slot}, now_);
  if (claim.model.hash() != 0 && !models_.empty()) forgive_models(slot, claim);
  if (own.group != kNowhere && roster_.groups[own.group].health.failures > 0) {
    if (forgive(roster_.groups[own.group].health, claim.ticket, now_)) refresh_group(own.group);
    ++version_;
  }
  if (!own.troubled) return;
  KeyRecord& record = roster_.records[slot];
  record.failures = 0;
  if (forgive(record.health, claim.ticket, now_)) record.validations = 0;
  own.troubled = !pristine(record, now_);
  ++version_;
  refresh(slot);
}

void PoolState::forgive_models(std::uint32_t slot, const KeyClaim& claim) {
  const Slot& own = roster_.slots[slot];
  const auto lift = [&](PairOwner owner) {
    ModelWait* wait = models_.find(owner, claim.model.hash());
    if (wait == nullptr || !forgive(wait->health, claim.ticket, now_)) return;
    if (wait->paced_until <= now_) models_.erase(owner, claim.model.hash());
    ++joins_;
    ++version_;
  };
  if (own.model_waits) lift(PairOwner::of(own.id));
  if (own.group != kNowhere && roster_.groups[own.group].model_waits)
    lift(PairOwner::of_group(roster_.groups[own.group].name));
}

Scope PoolState::effective_scope(std::uint32_t slot, const Verdict& verdict, const ModelTag& model) const {
  Scope scope = verdict.scope;
  if (verdict.key == KeyAction::kSuspect) return Scope::kKey;
  const bool grouped = roster_.slots[slot].group != kNowhere;
  const bool of_quota = verdict.key == KeyAction::kCool || verdict.key == KeyAction::kExhaust;
  const bool of_model = scope == Scope::kKeyModel || scope == Scope::kGroupModel;
  // Keys of a group share one quota: what one of them used up, none of them has.
  const bool of_group = grouped && (of_quota || scope == Scope::kGroup || scope == Scope::kGroupModel);
  if (of_model && model.hash() != 0) return of_group ? Scope::kGroupModel : Scope::kKeyModel;
  return of_group ? Scope::kGroup : Scope::kKey;
}

Health& PoolState::target(std::uint32_t slot, Scope scope, const ModelTag& model) {
  Slot& own = roster_.slots[slot];
  switch (scope) {
    case Scope::kKey:
      break;
    case Scope::kKeyModel:
      own.model_waits = true;
      return models_.open(PairOwner::of(own.id), model, now_).health;
    case Scope::kGroup:
      return roster_.groups[own.group].health;
    case Scope::kGroupModel: {
      QuotaGroup& group = roster_.groups[own.group];
      group.model_waits = true;
      return models_.open(PairOwner::of_group(group.name), model, now_).health;
    }
  }
  return roster_.records[slot].health;
}

void PoolState::failed(std::uint32_t slot, const KeyClaim& claim, const Verdict& verdict) {
  KeyRecord& record = roster_.records[slot];
  const bool counts = settings_.outage_guard && OutageGuard::counts(verdict);
  if (counts && guard_.suspected()) return;  // frozen: the upstream is to blame
  ++record.failures;
  record.reason = verdict.reason;
  roster_.slots[slot].troubled = true;
  const Scope scope = effective_scope(slot, verdict, claim.model);
  Health& health = target(slot, scope, claim.model);
  const Health before = health;
  punish(health, verdict,
         {.now = now_,
          .claim = claim.ticket,
          .last_claim = tickets_,
          .auto_disable = settings_.auto_disable,
          .invalid_after = settings_.invalid_after,
          .try_invalid = settings_.try_invalid,
          .sole_key = sole_key()});
  if (before.state != health.state) record.validations = 0;
  schedule_validation(record);
  ++version_;
  if (scope == Scope::kGroup) {
    refresh_group(roster_.slots[slot].group);
  } else {
    refresh(slot);
  }
  if (!counts) return;
  Penalty penalty{.key = roster_.slots[slot].id, .scope = scope, .model = claim.model, .before = before};
  if (!guard_.failed(verdict, record.mark, std::move(penalty), enabled_keys(), now_)) return;
  for (const Penalty& each : guard_.take_penalties()) take_back(each);
}

void PoolState::take_back(const Penalty& penalty) {
  const auto slot = roster_.find(penalty.key);
  if (!slot) return;
  Slot& own = roster_.slots[*slot];
  if ((penalty.scope == Scope::kGroup || penalty.scope == Scope::kGroupModel) && own.group == kNowhere) return;
  Health& health = target(*slot, penalty.scope, penalty.model);
  health = penalty.before;
  health.on_trial = false;
  roster_.records[*slot].failures = penalty.before.failures;
  if (penalty.scope == Scope::kKeyModel || penalty.scope == Scope::kGroupModel) ++joins_;
  refresh_reach(*slot);
}

void PoolState::schedule_validation(KeyRecord& record) {
  const bool invalid = record.health.state == KeyState::kInvalid;
  const Duration first = invalid ? kValidateInvalidFirst : kValidateEvery;
  const Duration last = invalid ? kValidateInvalidLast : kValidateEvery;
  Duration wait = first;
  for (int i = 0; i < record.validations && wait < last; ++i) wait *= 2;
  record.validate_at = now_ + std::min(wait, last);
}

void PoolState::release(const KeyClaim& claim) {
  --in_flight_;
  const auto slot = locate(claim);
  if (!slot) {
    const auto it = retired_.find(claim.key);
    if (it != retired_.end() && --it->second.in_flight == 0) retired_.erase(it);
    return;
  }
  Slot& own = roster_.slots[*slot];
  --view(own).in_flight;
  const bool validation = (claim.trials & kReachValidation) != 0;
  if (validation) --roster_.records[*slot].probing;
  if (claim.trials != 0) end_trials(*slot, claim);
  if (!own.limited || validation) return;
  LimitAccount* limits = account(*slot);
  if (limits == nullptr) return;
  const bool was_blocked = limits->blocked_until(now_, clock_).has_value();
  limits->give_back();
  if (was_blocked) refresh_reach(*slot);
}

bool PoolState::renew(KeyClaim& claim, std::uint32_t tokens, TimePoint now) {
  tick(now);
  const auto slot = locate(claim);
  if (!slot) return false;  // deleted meanwhile
  LimitAccount* limits = account(*slot);
  if (limits != nullptr) limits->give_back();  // the attempt that ended does not count against the next one
  const bool usable = may_go_on(*slot, claim, tokens);
  if (limits == nullptr) return usable;
  if (!usable) {
    limits->keep();
    return false;
  }
  claim.counts_tokens = limits->counts_tokens();
  claim.tokens = claim.counts_tokens ? tokens : 0;
  limits->take(claim.tokens, now_, clock_);
  ++version_;
  if (limits->blocked_until(now_, clock_)) refresh_reach(*slot);
  return true;
}

// What forbids a key to others may be this claim itself: its trial is no reason against it.
bool PoolState::may_go_on(std::uint32_t slot, const KeyClaim& claim, std::uint32_t tokens) {
  if (guard_.suspected() && now_ < guard_.next_probe()) return false;
  LimitAccount* limits = account(slot);
  if (limits != nullptr && limits->blocked_until(now_, clock_)) return false;
  if (limits != nullptr && tokens > 0 && !limits->fits_tokens(tokens, now_)) return false;
  const KeyStanding standing = judge(slot).standing;
  const bool own_trial = standing == KeyStanding::kOnTrial && claim.trials != 0;
  if (standing != KeyStanding::kUsable && standing != KeyStanding::kTrial && !own_trial) return false;
  const std::uint64_t model = claim.model.hash();
  if (model == 0 || models_.empty()) return true;
  const Slot& own = roster_.slots[slot];
  if ((claim.trials & kReachKeyModel) == 0 && !model_open(PairOwner::of(own.id), model)) return false;
  return own.group == kNowhere || (claim.trials & kReachGroupModel) != 0 ||
         model_open(PairOwner::of_group(roster_.groups[own.group].name), model);
}

void PoolState::end_trials(std::uint32_t slot, const KeyClaim& claim) {
  const Slot& own = roster_.slots[slot];
  // A wait that began after this attempt may have a trial of its own running.
  const auto end = [&](Health& health, Reach reach) {
    if ((claim.trials & reach) != 0 && claim.ticket > health.ticket) health.on_trial = false;
  };
  end(roster_.records[slot].health, kReachKey);
  if (own.group != kNowhere) end(roster_.groups[own.group].health, kReachGroup);
  const auto end_of_model = [&](PairOwner owner, Reach reach) {
    if (ModelWait* wait = models_.find(owner, claim.model.hash())) end(wait->health, reach);
    ++joins_;
  };
  if ((claim.trials & kReachKeyModel) != 0) end_of_model(PairOwner::of(own.id), kReachKeyModel);
  if ((claim.trials & kReachGroupModel) != 0 && own.group != kNowhere)
    end_of_model(PairOwner::of_group(roster_.groups[own.group].name), kReachGroupModel);
  refresh_reach(slot);
}

void PoolState::note_failure(const KeyClaim& claim, int status, std::string_view redacted) {
  const auto slot = locate(claim);
  if (!slot) return;
  roster_.records[*slot].last_status = status;
  roster_.records[*slot].last_error = cut_utf8(valid_utf8(std::string(redacted)), kMostErrorBytes);
}

void PoolState::observe_latency(const KeyClaim& claim, Duration first_byte, TimePoint now) {
  tick(now);
  const auto slot = locate(claim);
  if (!slot) return;
  using Milliseconds = std::chrono::duration<float, std::milli>;
  using Seconds = std::chrono::duration<float>;
  KeyRecord& record = roster_.records[*slot];
  KeyView& own = view(roster_.slots[*slot]);
  const TimePoint last = std::exchange(record.latency_at, now_);
  // Never 0: that would mean "not known yet".
  const float sample = std::max(0.001F, std::chrono::duration_cast<Milliseconds>(first_byte).count());
  own.latency_ms = peak_ewma(own.latency_ms, sample, std::chrono::duration_cast<Seconds>(now_ - last).count());
}

void PoolState::pace(const KeyClaim& claim, Duration reset_in, TimePoint now) {
  tick(now);
  const auto slot = locate(claim);
  if (!slot || reset_in <= Duration::zero()) return;
  Slot& own = roster_.slots[*slot];
  const TimePoint until = now_ + std::min(reset_in, kPaceLongest);
  const bool grouped = own.group != kNowhere;
  if (claim.model.hash() != 0) {
    if (grouped) roster_.groups[own.group].model_waits = true;
    if (!grouped) own.model_waits = true;
    const PairOwner owner = grouped ? PairOwner::of_group(roster_.groups[own.group].name) : PairOwner::of(own.id);
    ModelWait& wait = models_.open(owner, claim.model, now_);
    wait.paced_until = std::max(wait.paced_until, until);
    return;
  }
  TimePoint& paced = grouped ? roster_.groups[own.group].paced_until : roster_.records[*slot].paced_until;
  paced = std::max(paced, until);
  own.troubled = true;
  refresh_reach(*slot);
}

void PoolState::count_tokens(KeyClaim& claim, std::uint64_t tokens, TimePoint now) {
  tick(now);
  const auto slot = locate(claim);
  LimitAccount* limits = slot ? account(*slot) : nullptr;
  if (limits == nullptr) return;
  limits->correct_tokens(claim.tokens, tokens, now_);
  claim.tokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, 0xffff'ffff));
  refresh_reach(*slot);
}

}  // namespace akr
