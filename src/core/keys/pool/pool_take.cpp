// Taking a key for an attempt, and giving it back.
#include <algorithm>
#include <chrono>

#include "core/keys/pool/pool_state.hpp"
#include "core/keys/pool/refusal.hpp"

namespace akr {
namespace {

// Keys woken per request, so that a million cooldowns that end at once are no pause for one of them.
constexpr std::size_t kWakesPerTake = 32;
constexpr std::size_t kMostLookedAt = 256;  // usable keys, when all wait for a model
constexpr std::size_t kMostKin = 256;       // of an account: where so many are out, the next one is, too

bool was_tried(const SelectRequest& request, KeyId key) {
  return std::ranges::find(request.tried, key) != request.tried.end();
}

// Of two waits in seconds, 0 being unknown.
int sooner(int a, int b) { return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b); }

}  // namespace

Result<KeyClaim> PoolState::take(const SelectRequest& request, TimePoint now) {
  tick(now);
  tables_.advance(kWakesPerTake);
  const ModelTag model(request.model);
  Choice choice(tables_);
  std::optional<std::uint32_t> slot;
  if (guard_.doubts(model.hash())) [[unlikely]] {
    Asking asking(guard_, model.hash(), !request.tried.empty(), tables_.now());
    slot = chooser_.choose(request, model.hash(), choice, &asking);
    if (slot) guard_.begin_round(asking.round);
  } else {
    slot = chooser_.choose(request, model.hash(), choice);
  }
  tell(request.trace, choice);
  if (!slot) return nothing_usable(tables_, guard_, model.hash(), choice.soonest);
  const KeyClaim claim = commit(*slot, request, model);
  tell_taken(request.trace, claim);
  return claim;
}

// One certain key, or another one of its account, under the same rules as any other: what the request names lives there
// (D23).
Result<KeyClaim> PoolState::take_exactly(KeyId id, const SelectRequest& request, TimePoint now) {
  tick(now);
  tables_.advance(kWakesPerTake);
  const auto own = tables_.roster.find(id);
  const auto kin = tables_.roster.keys_of(own ? tables_.roster.account_of(*own) : request.account);
  const bool again = !kin.empty() && was_tried(request, id);
  std::optional<Error> refused;
  if (own && !again && !request.others_only) {
    auto taken = take_bound(*own, request);
    if (taken || kin.empty()) return taken;
    refused = taken.error();
  }
  if (const auto taken = take_kin(id, kin, request, refused)) return *taken;
  if (own && again && !request.others_only) return take_bound(*own, request);
  if (refused) return *refused;
  if (request.trace != nullptr) request.trace->pinned = true;
  return request.tried.empty() ? pinned_key_deleted() : pinned_key_refused();
}

// Another key of the account than `id`.  nullopt: why the first of them may not be used, and when one of them may, is
// in `refused`, which comes with what is known of the key itself.
std::optional<KeyClaim> PoolState::take_kin(KeyId id, std::span<const Roster::AccountPlace> kin,
                                            const SelectRequest& request, std::optional<Error>& refused) {
  bool others = false;
  const auto& slots = tables_.roster.slots;
  const auto of_best_tier = [&](const auto& each) { return slots[each.slot].tier == slots[kin.front().slot].tier; };
  const auto best = static_cast<std::size_t>(std::ranges::partition_point(kin, of_best_tier) - kin.begin());
  // Each maker has its own substitute in the best tier, so that they do not all fall on one.
  const std::size_t begin = kin.empty() ? 0 : static_cast<std::uint64_t>(id.value) % best;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < kin.size() && looked_at < kMostKin; ++i) {
    const std::uint32_t slot = kin[i < best ? (begin + i) % best : i].slot;
    const Slot& each = slots[slot];
    if (each.id == id || !each.enabled || !each.readable || was_tried(request, each.id)) continue;
    ++looked_at;
    auto taken = take_bound(slot, request);
    if (taken) return *taken;
    others = refused.has_value();
    if (!others) refused = taken.error();
    refused->retry_after = sooner(refused->retry_after, taken.error().retry_after);
  }
  if (others) refused->message += ", and no other key of its account may be used either";
  return std::nullopt;
}

Result<KeyClaim> PoolState::take_bound(std::uint32_t slot, const SelectRequest& request) {
  const ModelTag model(request.model);
  Choice choice(tables_);
  choice.trace.pinned = true;
  const PoolTables::Judgement judgement = tables_.refresh(slot);
  const bool held = held_back(model.hash());
  const bool free = !held && tables_.roster.slots[slot].ready != kNowhere;
  const Fit fit = free ? chooser_.fit(slot, request.tokens, model.hash()) : Fit{};
  if (!fit.good()) choice.passed_over(fit);
  tell(request.trace, choice);
  if (held) return pinned_key_held_back(guard_.next_probe(model.hash()) - tables_.now());
  if (!free) return pinned_key_out(judgement, tables_.now());
  if (!fit.enough_tokens) {
    const TimePoint enough = tables_.limits_of(slot)->tokens_fit_at(request.tokens);
    return pinned_key_lacks_tokens(enough - tables_.now());
  }
  if (fit.model.holds) return pinned_key_waits_for_model(fit.model, tables_.now());
  const KeyClaim claim = commit(slot, request, model);
  tell_taken(request.trace, claim);
  return claim;
}

std::optional<Duration> PoolState::free_in(std::string_view model, TimePoint now) {
  tick(now);
  tables_.advance(kWakesPerTake);
  const std::uint64_t hash = ModelTag(model).hash();
  const bool held = held_back(hash);
  std::optional<TimePoint> soonest = tables_.next_wake();
  if (held) soonest = guard_.next_probe(hash);
  std::size_t looked = 0;
  for (std::size_t tier = 0; tier < tables_.tiers.size(); ++tier) {
    if (held && guard_.failed_in(tier)) continue;
    for (const KeyView& each : tables_.tiers[tier].views()) {
      const ModelHold hold = chooser_.fit(each.slot, 0, hash).model;
      if (!hold.holds) return Duration::zero();
      if (hold.by_clock) soonest = std::min(soonest.value_or(hold.until), hold.until);
      if (++looked >= kMostLookedAt) break;
    }
  }
  if (!soonest) return std::nullopt;
  return std::max(*soonest - tables_.now(), Duration::zero());
}

void PoolState::tell(SelectTrace* trace, const Choice& choice) const {
  if (trace == nullptr) return;
  *trace = choice.trace;
  trace->standings = tables_.standings();
  trace->suspected = guard_.suspected();
}

void PoolState::tell_taken(SelectTrace* trace, const KeyClaim& claim) const {
  if (trace == nullptr) return;
  trace->key = claim.key->id;
  trace->tier = tables_.priority_of(claim.slot);
  trace->trial = claim.trials != 0;
}

KeyClaim PoolState::commit(std::uint32_t slot, const SelectRequest& request, const ModelTag& model) {
  Slot& own = tables_.roster.slots[slot];
  KeyClaim claim{.key = own.key,
                 .slot = slot,
                 .ticket = tables_.next_ticket(),
                 .affinity = request.affinity,
                 .account = tables_.roster.account_of(slot),
                 .model = model};
  tables_.tiers[own.tier].taken(own.ready);
  tables_.attempt_began();
  own.last_used_s = static_cast<std::uint32_t>(tables_.now().time_since_epoch() / std::chrono::seconds(1)) + 1;
  if (guard_.doubts(model.hash())) guard_.probe_sent(model.hash(), own.tier, tables_.now());
  const bool of_model = model.hash() != 0 && !tables_.models.empty();
  if (own.standing == KeyStanding::kTrial || of_model) start_trials(slot, claim);
  if (LimitAccount* limits = tables_.limits_of(slot)) count_request(slot, claim, request.tokens, *limits);
  return claim;
}

void PoolState::count_request(std::uint32_t slot, KeyClaim& claim, std::uint32_t tokens, LimitAccount& limits) {
  claim.counts_tokens = limits.counts_tokens();
  claim.tokens = claim.counts_tokens ? tokens : 0;
  limits.take(claim.tokens, tables_.now(), tables_.clock());
  tables_.changed();
  if (limits.blocked_until(tables_.now(), tables_.clock())) tables_.refresh_reach(slot);
}

void PoolState::start_trials(std::uint32_t slot, KeyClaim& claim) {
  const auto start = [&](Health& health, TrialBit bit) {
    if (gate(health, tables_.now()) != Gate::kTrial) return;
    health.on_trial = true;
    claim.trials |= bit;
  };
  const Reach reach = tables_.reach(slot);
  reach.each([&](const WaitOwner& owner) { start(owner.health(), owner.trial()); });
  if (claim.trials != 0) tables_.refresh_reach(slot);
  if (claim.model.hash() == 0) return;
  reach.each([&](const WaitOwner& owner) {
    if (ModelWait* wait = tables_.models.find(owner.pair(), claim.model.hash()))
      start(wait->health, owner.model_trial());
  });
}

void PoolState::release(const KeyClaim& claim) {
  tables_.attempt_ended();
  const auto slot = tables_.locate(claim);
  if (!slot) return tables_.give_back_retired(claim.key);
  Slot& own = tables_.roster.slots[*slot];
  --tables_.view(own).in_flight;
  const bool validation = (claim.trials & kValidation) != 0;
  if (validation) --tables_.roster.records[*slot].probing;
  if (claim.trials != 0) end_trials(*slot, claim);
  LimitAccount* limits = validation ? nullptr : tables_.limits_of(*slot);
  if (limits == nullptr) return;
  const bool was_blocked = limits->blocked_until(tables_.now(), tables_.clock()).has_value();
  limits->give_back();
  if (was_blocked) tables_.refresh_reach(*slot);
}

void PoolState::end_trials(std::uint32_t slot, const KeyClaim& claim) {
  // A wait that began after this attempt may have a trial of its own running.
  const auto end = [&](Health& health) {
    if (claim.ticket > health.ticket) health.on_trial = false;
  };
  tables_.reach(slot).each([&](const WaitOwner& owner) {
    if ((claim.trials & owner.trial()) != 0) end(owner.health());
    if ((claim.trials & owner.model_trial()) == 0) return;
    if (ModelWait* wait = tables_.models.find(owner.pair(), claim.model.hash())) end(wait->health);
    tables_.model_joined();
  });
  tables_.refresh_reach(slot);
}

bool PoolState::renew(KeyClaim& claim, std::uint32_t tokens, TimePoint now) {
  tick(now);
  const auto slot = tables_.locate(claim);
  if (!slot) return false;  // deleted meanwhile
  LimitAccount* limits = tables_.limits_of(*slot);
  if (limits != nullptr) limits->give_back();  // the attempt that ended does not count against the next one
  const bool usable = may_go_on(*slot, claim, tokens);
  if (limits == nullptr) return usable;
  if (!usable) {
    limits->keep();
    return false;
  }
  count_request(*slot, claim, tokens, *limits);
  return true;
}

// What forbids a key to others may be this claim itself: its trial is no reason against it.
bool PoolState::may_go_on(std::uint32_t slot, const KeyClaim& claim, std::uint32_t tokens) {
  if (held_back(claim.model.hash())) return false;
  const TimePoint now = tables_.now();
  LimitAccount* limits = tables_.limits_of(slot);
  if (limits != nullptr && limits->blocked_until(now, tables_.clock())) return false;
  if (limits != nullptr && tokens > 0 && !limits->fits_tokens(tokens, now)) return false;
  const KeyStanding standing = tables_.judge(slot).standing;
  const bool own_trial = standing == KeyStanding::kOnTrial && claim.trials != 0;
  if (standing != KeyStanding::kUsable && standing != KeyStanding::kTrial && !own_trial) return false;
  const std::uint64_t model = claim.model.hash();
  if (model == 0 || tables_.models.empty()) return true;
  return tables_.reach(slot).all([&](const WaitOwner& owner) {
    if ((claim.trials & owner.model_trial()) != 0) return true;
    const ModelWait* wait = tables_.models.find(owner.pair(), model);
    return wait == nullptr || !hold_of(*wait, now).holds;
  });
}

}  // namespace akr
