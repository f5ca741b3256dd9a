// Choosing a key without taking it: the same steps as take(), and then every trace of them is removed.
//
// What stays is only what the time alone would do, too: waits that are over end, as in counts().
#include <algorithm>

#include "core/keys/pool/pool_state.hpp"

namespace akr {
namespace {

// Shares are counted by comparing keys with each other, under the pool's lock.
constexpr std::size_t kMostShared = 2048;

bool is_ready(KeyStanding standing) { return standing == KeyStanding::kUsable || standing == KeyStanding::kTrial; }

}  // namespace

SelectPreview PoolState::preview(const SelectRequest& request, std::size_t explain, TimePoint now) {
  tick(now);
  advance(slots());  // all of them: a key that a later advance() wakes would make the preview false
  const ModelTag model(request.model);
  SelectPreview preview{.policy = policy_->id, .keys_total = slots()};
  const auto slot = choose_and_undo(request, model);
  fill_trace(preview.trace);
  if (slot) {
    preview.trace.key = roster_.slots[*slot].id;
    preview.trace.tier = tiers_[roster_.slots[*slot].tier].priority();
    preview.trace.trial = would_be_trial(*slot, model);
  } else {
    preview.error = nothing_usable();
  }
  const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(explain, slots()));
  for (std::uint32_t i = 0; i < count; ++i) preview.keys.push_back(outlook(i, request, model, preview));
  if (slot) foresee(*slot, request, model, preview);
  return preview;
}

std::optional<std::uint32_t> PoolState::choose_and_undo(const SelectRequest& request, const ModelTag& model) {
  model_soonest_ = {};
  model_hope_ = false;
  scratch_ = {};
  if (guard_.suspected() && now_ < guard_.next_probe()) return std::nullopt;
  const Random random = random_;
  const auto blocked = blocked_models_;  // a search that is saved moves no cursor
  std::vector<std::unique_ptr<SelectionPolicy>> before;
  for (ReadyKeys& tier : tiers_) before.push_back(tier.copy_policy());
  set_aside_tried(request);
  auto slot = choose(request, model.hash());
  undo_aside();
  if (!slot) slot = choose_without_hope(request, model.hash());
  for (std::size_t i = 0; i < tiers_.size(); ++i) tiers_[i].put_back(std::move(before[i]));
  random_ = random;
  blocked_models_ = blocked;
  return slot;
}

// Backwards, so that each key finds its place as it left it: policies that draw lots draw positions.
void PoolState::undo_aside() {
  for (; !aside_.empty(); aside_.pop_back()) {
    const auto [slot, position] = aside_.back();
    Slot& own = roster_.slots[slot];
    ReadyKeys& tier = tiers_[own.tier];
    tier.undo_leave(position, own.view);
    own.ready = position;
    const auto last = static_cast<std::uint32_t>(tier.views().size() - 1);
    roster_.slots[tier.views()[last].slot].ready = last;
  }
}

bool PoolState::would_be_trial(std::uint32_t slot, const ModelTag& model) {
  const Slot& own = roster_.slots[slot];
  if (own.standing == KeyStanding::kTrial) return true;
  const auto tried_for_model = [&](PairOwner owner) {
    ModelWait* wait = model.hash() == 0 ? nullptr : models_.find(owner, model.hash());
    return wait != nullptr && gate(wait->health, now_) == Gate::kTrial;
  };
  if (tried_for_model(PairOwner::of(own.id))) return true;
  return own.group != kNowhere && tried_for_model(PairOwner::of_group(roster_.groups[own.group].name));
}

// Whether lots are drawn, and each candidate's chance.
void PoolState::foresee(std::uint32_t slot, const SelectRequest& request, const ModelTag& model,
                        SelectPreview& preview) {
  ReadyKeys& tier = tiers_[roster_.slots[slot].tier];
  const KeyView& taken = view(roster_.slots[slot]);
  if (preview.trace.affinity || tier.views().size() == 1 || !tier.policy().share(taken, {&taken, 1})) return;
  preview.certain = false;
  if (tier.views().size() > kMostShared) return;
  std::vector<KeyView> candidates;
  for (const KeyView& each : tier.views()) {
    const KeyId id = roster_.slots[each.slot].id;
    const bool tried = std::find(request.tried.begin(), request.tried.end(), id) != request.tried.end();
    if (!tried && acceptable(each.slot, request, model.hash())) candidates.push_back(each);
  }
  preview.certain = candidates.size() == 1;
  for (KeyOutlook& each : preview.keys) {
    const auto at = roster_.find(each.key);
    const auto candidate =
        std::find_if(candidates.begin(), candidates.end(), [&](const KeyView& own) { return at && own.slot == *at; });
    if (candidate != candidates.end()) each.share = tier.policy().share(*candidate, candidates);
  }
}

KeyOutlook PoolState::outlook(std::uint32_t slot, const SelectRequest& request, const ModelTag& model,
                              const SelectPreview& preview) {
  const Slot& own = roster_.slots[slot];
  KeyOutlook outlook{.key = own.id, .why = to_string(own.standing), .until = std::nullopt};
  if (is_ready(own.standing)) {
    explain_usable(slot, request, model, preview, outlook);
    return outlook;
  }
  const Judgement judgement = judge(slot);
  if (judgement.wake != TimePoint{}) outlook.until = judgement.wake;
  const bool by_limit = own.standing == KeyStanding::kLimited || own.standing == KeyStanding::kBusy;
  if (by_limit) outlook.limit = account(slot)->reached(now_, clock_);
  return outlook;
}

void PoolState::explain_usable(std::uint32_t slot, const SelectRequest& request, const ModelTag& model,
                               const SelectPreview& preview, KeyOutlook& outlook) {
  const Slot& own = roster_.slots[slot];
  if (own.id == preview.trace.key) {
    outlook.why = "taken";
    return;
  }
  if (std::find(request.tried.begin(), request.tried.end(), own.id) != request.tried.end()) {
    outlook.why = "tried";
    return;
  }
  scratch_ = {};
  model_soonest_ = {};
  if (!acceptable(slot, request, model.hash())) {
    outlook.why = scratch_.too_few_tokens > 0 ? "too_few_tokens" : "model_cooling";
    if (scratch_.too_few_tokens > 0) outlook.limit = "tpm";
    if (model_soonest_ != TimePoint{}) outlook.until = model_soonest_;
    return;
  }
  if (preview.error) {
    outlook.why = "suspected";  // nothing else keeps everybody from a key that is fit
    outlook.until = guard_.next_probe();
    return;
  }
  outlook.why = tiers_[own.tier].priority() > preview.trace.tier ? "lower_tier" : "usable";
}

}  // namespace akr
