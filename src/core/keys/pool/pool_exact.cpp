// One certain key, under the same rules as any other: what the request names lives in that key's account (D23).
#include <algorithm>
#include <chrono>

#include "core/keys/pool/pool_state.hpp"

namespace akr {
namespace {

constexpr std::size_t kWakesPerTake = 32;

struct Reason {
  std::string_view text;
  bool ends_with_an_attempt = false;  // no clock says when
};

Reason reason_of(KeyStanding standing) {
  switch (standing) {
    case KeyStanding::kUsable:
    case KeyStanding::kTrial:
      return {"is not usable for this request"};
    case KeyStanding::kOnTrial:
      return {"is being tried by another request", true};
    case KeyStanding::kDisabled:
      return {"is disabled"};
    case KeyStanding::kUnreadable:
      return {"cannot be decrypted"};
    case KeyStanding::kDraining:
      return {"has weight 0"};
    case KeyStanding::kCooling:
      return {"is cooling down"};
    case KeyStanding::kExhausted:
      return {"is out of quota"};
    case KeyStanding::kInvalid:
      return {"is refused by the provider"};
    case KeyStanding::kLimited:
      return {"is at one of its limits"};
    case KeyStanding::kPaced:
      return {"has nothing left of its provider's allowance"};
    case KeyStanding::kBusy:
      return {"has as many requests running as it may", true};
  }
  return {"is not usable"};
}

Error refusal(std::string_view why, int retry_after) {
  return {.code = ErrorCode::kPinnedKeyUnavailable,
          .message = "what the request names belongs to one upstream key, and that key " + std::string(why),
          .retry_after = retry_after};
}

int whole_seconds(Duration wait) {
  return static_cast<int>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count()));
}

}  // namespace

Result<KeyClaim> PoolState::take_exactly(KeyId id, const SelectRequest& request, TimePoint now) {
  tick(now);
  advance(kWakesPerTake);
  model_soonest_ = {};
  scratch_ = {};
  const auto slot = roster_.find(id);
  if (slot) refresh(*slot);
  const ModelTag model(request.model);
  const bool held_back = guard_.suspected() && now_ < guard_.next_probe();
  const bool free = slot && !held_back && roster_.slots[*slot].ready != kNowhere;
  const bool usable = free && acceptable(*slot, request, model.hash());
  scratch_.pinned = true;
  if (request.trace != nullptr) fill_trace(*request.trace);
  if (!slot) return refusal("was deleted", 0);
  if (held_back)
    return refusal("is held back while the upstream is in trouble", whole_seconds(guard_.next_probe() - now_));
  if (!usable) return unavailable(*slot, request.tokens);
  const KeyClaim claim = commit(*slot, request, model);
  if (request.trace != nullptr) {
    request.trace->key = id;
    request.trace->tier = tiers_[roster_.slots[*slot].tier].priority();
    request.trace->trial = claim.trials != 0;
  }
  return claim;
}

// REQUIRES: the slot was refreshed, and acceptable() was asked if the key is ready.
Error PoolState::unavailable(std::uint32_t slot, std::uint32_t tokens) {
  const Slot& own = roster_.slots[slot];
  if (scratch_.too_few_tokens > 0) {
    const TimePoint fit = account(slot)->tokens_fit_at(tokens);
    return refusal("has too little left of its tokens per minute", whole_seconds(fit - now_));
  }
  if (own.ready != kNowhere && model_soonest_ != TimePoint{})
    return refusal("is cooling down for this model", whole_seconds(model_soonest_ - now_));
  const Reason reason = reason_of(own.standing);
  if (reason.ends_with_an_attempt) return refusal(reason.text, 1);
  const TimePoint wake = judge(slot).wake;
  return refusal(reason.text, wake > now_ ? whole_seconds(wake - now_) : 0);
}

}  // namespace akr
