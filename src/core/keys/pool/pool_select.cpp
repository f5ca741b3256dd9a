// Choosing a key: who is passed over for this one request, who is taken, and what to say if nobody is left.
#include <algorithm>
#include <chrono>

#include "core/keys/pool/pool_state.hpp"

namespace akr {
namespace {

// Keys woken per request, so that a million cooldowns that end at once are no pause for one of them.
constexpr std::size_t kWakesPerTake = 32;
// Keys a policy may offer in vain before we look for any other one, in the order of the array.
constexpr std::size_t kMostAside = 64;
constexpr std::size_t kMostBlockedModels = 1024;

int whole_seconds(Duration wait) {
  return static_cast<int>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count()));
}

}  // namespace

Result<KeyClaim> PoolState::take(const SelectRequest& request, TimePoint now) {
  tick(now);
  advance(kWakesPerTake);
  model_soonest_ = {};
  model_hope_ = false;
  scratch_ = {};
  std::optional<std::uint32_t> slot;
  const ModelTag model(request.model);
  if (!guard_.suspected() || now_ >= guard_.next_probe()) {
    set_aside_tried(request);
    slot = choose(request, model.hash());
    bring_back();
    if (!slot) slot = choose_without_hope(request, model.hash());
    if (scratch_.affinity) affinity_.touch(request.affinity, now_);
  }
  if (request.trace != nullptr) fill_trace(*request.trace);
  if (!slot) return nothing_usable();
  const KeyClaim claim = commit(*slot, request, model);
  if (request.trace != nullptr) {
    request.trace->key = claim.key->id;
    request.trace->tier = tiers_[roster_.slots[*slot].tier].priority();
    request.trace->trial = claim.trials != 0;
  }
  return claim;
}

std::optional<std::uint32_t> PoolState::choose(const SelectRequest& request, std::uint64_t model) {
  if (!blocked_models_.empty() && known_blocked(model)) return std::nullopt;
  if (request.affinity != 0 && policy_->keeps_affinity) {
    if (const auto slot = choose_affine(request, model)) return slot;
  }
  const std::size_t tried = aside_.size();
  for (std::uint16_t tier = 0; tier < tiers_.size(); ++tier) {
    if (tiers_[tier].empty()) continue;
    if (const auto slot = choose_from(tier, request, model)) return slot;
  }
  // Worth remembering only if it was a long search and nothing but models stood in the way.
  if (tried == 0 && aside_.size() >= kMostAside) remember_blocked(model);
  return std::nullopt;
}

// No key has access to the model, and waiting changes nothing: one of them is asked, so that the client hears it from
// the provider instead of being told to wait (and so that a model that appears is noticed at once).  Not again for the
// same request.
std::optional<std::uint32_t> PoolState::choose_without_hope(const SelectRequest& request, std::uint64_t model) {
  if (model == 0 || !request.tried.empty() || model_hope_ || scratch_.model_cooling == 0) return std::nullopt;
  const bool others_may_have_it = ready_keys() < enabled_keys() - in_standing(KeyStanding::kInvalid);
  if (scratch_.too_few_tokens > 0 || others_may_have_it) return std::nullopt;
  for (ReadyKeys& tier : tiers_) {
    if (!tier.empty()) return tier.pick(random_);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> PoolState::choose_affine(const SelectRequest& request, std::uint64_t model) {
  const auto place = affinity_.find(request.affinity, now_);
  if (!place) return std::nullopt;
  const auto slot = locate(*place);
  if (!slot || roster_.slots[*slot].ready == kNowhere || !acceptable(*slot, request, model)) return std::nullopt;
  // A better tier that came back goes before the old conversation's place (D31).
  for (std::uint16_t tier = 0; tier < roster_.slots[*slot].tier; ++tier)
    if (!tiers_[tier].empty()) return std::nullopt;
  scratch_.affinity = true;
  return slot;
}

std::optional<std::uint32_t> PoolState::locate(const AffinityMap::Place& place) const {
  if (place.slot >= roster_.slots.size()) return roster_.find(place.key);
  prefetch(place.slot);
  return roster_.slots[place.slot].id == place.key ? place.slot : roster_.find(place.key);
}

std::optional<std::uint32_t> PoolState::choose_from(std::uint16_t tier, const SelectRequest& request,
                                                    std::uint64_t model) {
  ReadyKeys& ready = tiers_[tier];
  while (!ready.empty() && aside_.size() < kMostAside) {
    const std::uint32_t slot = ready.pick(random_);
    prefetch(slot);
    prefetch_ahead(ready);
    if (acceptable(slot, request, model)) return slot;
    set_aside(slot);
  }
  const auto count = static_cast<std::uint32_t>(ready.views().size());
  if (count == 0) return std::nullopt;
  const std::uint32_t start = random_.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t slot = ready.views()[(start + i) % count].slot;
    if (acceptable(slot, request, model)) return slot;
  }
  return std::nullopt;
}

void PoolState::prefetch(std::uint32_t slot) const {
  // All lines at once instead of one after the other: in a large pool each comes from memory.
  __builtin_prefetch(&roster_.slots[slot], 1);
  if (slot >= roster_.accounts.size()) return;
  roster_.accounts[slot].prefetch();
}

// The keys of the coming turns, while this one is busy: what an index leads to first, what is behind that later.
void PoolState::prefetch_ahead(const ReadyKeys& ready) const {
  const Foresight& ahead = ready.foresight();
  if (ahead[3] < roster_.slots.size()) prefetch(ahead[3]);
  const std::uint32_t next = ahead[1];
  if (next >= roster_.slots.size()) return;
  const std::uint32_t position = roster_.slots[next].ready;
  if (position < ready.views().size()) __builtin_prefetch(&ready.at(position), 1);
  if (next < roster_.accounts.size()) roster_.accounts[next].prefetch_rings();
}

bool PoolState::acceptable(std::uint32_t slot, const SelectRequest& request, std::uint64_t model) {
  const Slot& own = roster_.slots[slot];
  if (own.limited && request.tokens > 0 && !account(slot)->fits_tokens(request.tokens, now_)) {
    ++scratch_.too_few_tokens;
    return false;
  }
  if (model == 0 || models_.empty()) return true;
  const bool open = (!own.model_waits || model_open(PairOwner::of(own.id), model)) &&
                    (own.group == kNowhere || !roster_.groups[own.group].model_waits ||
                     model_open(PairOwner::of_group(roster_.groups[own.group].name), model));
  if (!open) ++scratch_.model_cooling;
  return open;
}

bool PoolState::model_open(PairOwner owner, std::uint64_t model) {
  ModelWait* wait = models_.find(owner, model);
  if (wait == nullptr) return true;
  const Gate state = gate(wait->health, now_);
  const bool shut = state == Gate::kShut || state == Gate::kOnTrial;
  if (!shut && wait->paced_until <= now_) return true;
  model_hope_ = model_hope_ || !shut || !wait->health.lacks_model;
  const TimePoint open_at = std::max(shut ? wait->health.next_try : now_, wait->paced_until);
  if (open_at > now_) model_soonest_ = model_soonest_ == TimePoint{} ? open_at : std::min(model_soonest_, open_at);
  return false;
}

bool PoolState::known_blocked(std::uint64_t model) {
  const auto it = blocked_models_.find(model);
  if (it == blocked_models_.end()) return false;
  if (it->second.joins == joins_ && now_ < it->second.until) {
    model_soonest_ = it->second.until;
    scratch_.model_cooling = ready_keys();
    model_hope_ = !it->second.hopeless;
    return true;
  }
  blocked_models_.erase(it);
  return false;
}

void PoolState::remember_blocked(std::uint64_t model) {
  if (model_soonest_ == TimePoint{} || scratch_.too_few_tokens > 0) return;
  if (blocked_models_.size() >= kMostBlockedModels) blocked_models_.clear();
  blocked_models_[model] = {joins_, model_soonest_, !model_hope_};
}

void PoolState::set_aside(std::uint32_t slot) {
  aside_.push_back({slot, roster_.slots[slot].ready});
  leave(slot);
}

void PoolState::set_aside_tried(const SelectRequest& request) {
  for (const KeyId id : request.tried) {
    const auto slot = roster_.find(id);
    if (!slot || roster_.slots[*slot].ready == kNowhere) continue;
    set_aside(*slot);
    ++scratch_.tried;
  }
}

void PoolState::bring_back() {
  for (const Aside& each : aside_) join(each.slot);
  aside_.clear();
}

KeyClaim PoolState::commit(std::uint32_t slot, const SelectRequest& request, const ModelTag& model) {
  Slot& own = roster_.slots[slot];
  KeyClaim claim{.key = own.key, .slot = slot, .ticket = ++tickets_, .affinity = request.affinity, .model = model};
  tiers_[own.tier].taken(own.ready);
  ++in_flight_;
  own.last_used_s = static_cast<std::uint32_t>(now_.time_since_epoch() / std::chrono::seconds(1)) + 1;
  if (guard_.suspected()) guard_.probe_sent(now_);
  if (own.standing == KeyStanding::kTrial || (model.hash() != 0 && !models_.empty())) start_trials(slot, claim);
  if (LimitAccount* limits = account(slot)) {
    claim.counts_tokens = limits->counts_tokens();
    if (claim.counts_tokens) claim.tokens = request.tokens;
    limits->take(claim.tokens, now_, clock_);
    ++version_;
    if (limits->blocked_until(now_, clock_)) refresh_reach(slot);
  }
  return claim;
}

void PoolState::start_trials(std::uint32_t slot, KeyClaim& claim) {
  const Slot& own = roster_.slots[slot];
  const auto start = [&](Health& health, Reach reach) {
    if (gate(health, now_) != Gate::kTrial) return;
    health.on_trial = true;
    claim.trials |= reach;
  };
  start(roster_.records[slot].health, kReachKey);
  if (own.group != kNowhere) start(roster_.groups[own.group].health, kReachGroup);
  if (claim.trials != 0) refresh_reach(slot);
  if (claim.model.hash() == 0) return;
  if (ModelWait* wait = models_.find(PairOwner::of(own.id), claim.model.hash())) start(wait->health, kReachKeyModel);
  if (own.group == kNowhere) return;
  const PairOwner group = PairOwner::of_group(roster_.groups[own.group].name);
  if (ModelWait* wait = models_.find(group, claim.model.hash())) start(wait->health, kReachGroupModel);
}

Error PoolState::nothing_usable() {
  const std::uint32_t enabled = enabled_keys();
  if (enabled == 0) return {.code = ErrorCode::kNoKeysConfigured, .message = "The service has no enabled key."};
  TimePoint soonest = model_soonest_;
  if (!heap_.empty()) soonest = soonest == TimePoint{} ? heap_.top().at : std::min(soonest, heap_.top().at);
  if (guard_.suspected() && guard_.next_probe() > now_) {
    return {.code = ErrorCode::kAllKeysCooling,
            .message = "The upstream refuses most keys of the service; it is tried once per second.",
            .retry_after = whole_seconds(guard_.next_probe() - now_)};
  }
  int wait = soonest == TimePoint{} ? 0 : whole_seconds(soonest - now_);
  if (in_standing(KeyStanding::kBusy) > 0) wait = 1;  // any attempt may end now
  if (in_standing(KeyStanding::kInvalid) + in_standing(KeyStanding::kExhausted) == enabled) {
    return {.code = ErrorCode::kCredentialsExhausted,
            .message = "Every enabled key of the service is invalid or out of quota.",
            .retry_after = wait};
  }
  return {.code = ErrorCode::kAllKeysCooling,
          .message = "No key of the service may be used right now.",
          .retry_after = std::max(1, wait)};
}

void PoolState::fill_trace(SelectTrace& trace) const {
  trace = scratch_;
  trace.standings = standings_;
  trace.suspected = guard_.suspected();
}

}  // namespace akr
