// Choosing a key without taking it: the same steps as take(), and then every trace of them is removed.
//
// What stays is only what the time alone would do, too: waits that are over end, as in counts().
#include <algorithm>
#include <span>
#include <vector>

#include "core/keys/pool/pool_state.hpp"
#include "core/keys/pool/pool_status.hpp"
#include "core/keys/pool/refusal.hpp"

namespace akr {
namespace {

// Shares are counted by comparing keys with each other, under the pool's lock.
constexpr std::size_t kMostShared = 2048;

bool is_ready(KeyStanding standing) { return standing == KeyStanding::kUsable || standing == KeyStanding::kTrial; }

bool is_wait(KeyStanding standing) {
  return standing == KeyStanding::kCooling || standing == KeyStanding::kExhausted ||
         standing == KeyStanding::kInvalid || standing == KeyStanding::kOnTrial;
}

// One request that is asked about.
class Preview {
 public:
  Preview(PoolTables& tables, Chooser& chooser, const OutageGuard& guard, const SelectRequest& request)
      : tables_(tables), chooser_(chooser), guard_(guard), request_(request), model_(ModelTag(request.model).hash()) {}

  SelectPreview make(std::size_t explain) {
    preview_.policy = tables_.policy().id;
    preview_.keys_total = tables_.slots();
    const auto slot = choose();
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(explain, tables_.slots()));
    for (std::uint32_t i = 0; i < count; ++i) preview_.keys.push_back(outlook(i));
    if (slot) foresee_shares(*slot);
    return std::move(preview_);
  }

 private:
  std::optional<std::uint32_t> choose();
  bool would_be_trial(std::uint32_t slot);
  bool was_tried(KeyId key) const {
    return std::find(request_.tried.begin(), request_.tried.end(), key) != request_.tried.end();
  }
  bool fits(std::uint32_t slot) { return chooser_.fit(slot, request_.tokens, model_).good(); }
  void foresee_shares(std::uint32_t slot);
  std::vector<KeyView> candidates(const ReadyKeys& tier);
  KeyOutlook outlook(std::uint32_t slot);
  void explain_usable(std::uint32_t slot, KeyOutlook& outlook);

  PoolTables& tables_;
  Chooser& chooser_;
  const OutageGuard& guard_;
  const SelectRequest& request_;
  const std::uint64_t model_;
  SelectPreview preview_;
};

std::optional<std::uint32_t> Preview::choose() {
  Choice choice(tables_);
  Asking asking(guard_, model_, !request_.tried.empty(), tables_.now());
  const auto slot = chooser_.foresee(request_, model_, choice, guard_.doubts(model_) ? &asking : nullptr);
  SelectTrace& trace = preview_.trace = choice.trace;
  trace.standings = tables_.standings();
  trace.suspected = guard_.suspected();
  if (slot) {
    trace.key = tables_.roster.slots[*slot].id;
    trace.tier = tables_.priority_of(*slot);
    trace.trial = would_be_trial(*slot);
  } else {
    preview_.error = nothing_usable(tables_, guard_, model_, choice.soonest);
  }
  return slot;
}

bool Preview::would_be_trial(std::uint32_t slot) {
  if (tables_.roster.slots[slot].standing == KeyStanding::kTrial) return true;
  return !tables_.reach(slot).all([&](const WaitOwner& owner) {
    const ModelWait* wait = model_ == 0 ? nullptr : tables_.models.find(owner.pair(), model_);
    return wait == nullptr || peek(wait->health, tables_.now()) != Gate::kTrial;
  });
}

std::vector<KeyView> Preview::candidates(const ReadyKeys& tier) {
  std::vector<KeyView> fitting;
  for (const KeyView& each : tier.views()) {
    if (!was_tried(tables_.roster.slots[each.slot].id) && fits(each.slot)) fitting.push_back(each);
  }
  return fitting;
}

// Whether lots are drawn, and each candidate's chance.
void Preview::foresee_shares(std::uint32_t slot) {
  ReadyKeys& tier = tables_.tiers[tables_.roster.slots[slot].tier];
  const KeyView& taken = tables_.view(tables_.roster.slots[slot]);
  if (preview_.trace.affinity || preview_.trace.home || tier.views().size() == 1 ||
      !tier.policy().share(taken, {&taken, 1}))
    return;
  preview_.certain = false;
  if (tier.views().size() > kMostShared) return;
  const std::vector<KeyView> all = candidates(tier);
  preview_.certain = all.size() == 1;
  for (KeyOutlook& each : preview_.keys) {
    const auto at = tables_.roster.find(each.key);
    const auto own = std::find_if(all.begin(), all.end(), [&](const KeyView& view) { return at && view.slot == *at; });
    if (own != all.end()) each.share = tier.policy().share(*own, all);
  }
}

KeyOutlook Preview::outlook(std::uint32_t slot) {
  const Slot& own = tables_.roster.slots[slot];
  KeyOutlook outlook{.key = own.id, .why = to_string(own.standing), .until = std::nullopt};
  if (is_ready(own.standing)) {
    explain_usable(slot, outlook);
    return outlook;
  }
  const PoolTables::Judgement judgement = tables_.judge(slot);
  if (judgement.wake != TimePoint{}) outlook.until = judgement.wake;
  if (is_wait(own.standing)) outlook.reason = PoolStatus(tables_).reason(slot);
  const bool by_limit = own.standing == KeyStanding::kLimited || own.standing == KeyStanding::kBusy;
  if (by_limit) outlook.limit = tables_.limits_of(slot)->reached(tables_.now(), tables_.clock());
  return outlook;
}

void Preview::explain_usable(std::uint32_t slot, KeyOutlook& outlook) {
  if (outlook.key == preview_.trace.key) {
    outlook.why = "taken";
    return;
  }
  if (was_tried(outlook.key)) {
    outlook.why = "tried";
    return;
  }
  const Fit fit = chooser_.fit(slot, request_.tokens, model_);
  if (!fit.enough_tokens) {
    outlook.why = "too_few_tokens";
    outlook.limit = "tpm";
    return;
  }
  if (fit.model.holds) {
    outlook.why = "model_cooling";
    outlook.reason = fit.model.reason;
    if (fit.model.by_clock) outlook.until = fit.model.until;
    return;
  }
  if (preview_.error) {
    outlook.why = "suspected";  // nothing else keeps everybody from a key that is fit
    outlook.until = guard_.next_probe(model_);
    return;
  }
  outlook.why = tables_.priority_of(slot) > preview_.trace.tier ? "lower_tier" : "usable";
}

}  // namespace

SelectPreview PoolState::preview(const SelectRequest& request, std::size_t explain, TimePoint now) {
  tick(now);
  tables_.advance(tables_.slots());  // all of them: a key that a later advance() wakes would make the preview false
  return Preview(tables_, chooser_, guard_, request).make(explain);
}

}  // namespace akr
