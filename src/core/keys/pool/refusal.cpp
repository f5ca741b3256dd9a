#include "core/keys/pool/refusal.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace akr {
namespace {

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

Error nothing_usable(const PoolTables& tables, const OutageGuard& guard, std::uint64_t model, TimePoint model_soonest) {
  const TimePoint now = tables.now();
  const std::uint32_t enabled = tables.enabled_keys();
  if (enabled == 0) return {.code = ErrorCode::kNoKeysConfigured, .message = "The service has no enabled key."};
  if (guard.suspected() && guard.next_probe(model) > now) {
    return {.code = ErrorCode::kAllKeysCooling,
            .message = "The upstream refuses most keys of the service; it is tried once per second.",
            .retry_after = whole_seconds(guard.next_probe(model) - now)};
  }
  TimePoint soonest = model_soonest;
  if (const auto wake = tables.next_wake()) soonest = soonest == TimePoint{} ? *wake : std::min(soonest, *wake);
  int wait = soonest == TimePoint{} ? 0 : whole_seconds(soonest - now);
  if (tables.in_standing(KeyStanding::kBusy) > 0) wait = 1;  // any attempt may end now
  if (tables.in_standing(KeyStanding::kInvalid) + tables.in_standing(KeyStanding::kExhausted) == enabled) {
    return {.code = ErrorCode::kCredentialsExhausted,
            .message = "Every enabled key of the service is invalid or out of quota.",
            .retry_after = wait};
  }
  return {.code = ErrorCode::kAllKeysCooling,
          .message = "No key of the service may be used right now.",
          .retry_after = std::max(1, wait)};
}

Error pinned_key_deleted() { return refusal("was deleted", 0); }

Error pinned_key_refused() { return refusal("was refused by the provider", 0); }

Error pinned_key_held_back(Duration wait) {
  return refusal("is held back while the upstream is in trouble", whole_seconds(wait));
}

Error pinned_key_out(const PoolTables::Judgement& judgement, TimePoint now) {
  const Reason reason = reason_of(judgement.standing);
  if (reason.ends_with_an_attempt) return refusal(reason.text, 1);
  return refusal(reason.text, judgement.wake > now ? whole_seconds(judgement.wake - now) : 0);
}

Error pinned_key_lacks_tokens(Duration wait) {
  return refusal("has too little left of its tokens per minute", whole_seconds(wait));
}

Error pinned_key_waits_for_model(const ModelHold& hold, TimePoint now) {
  if (!hold.by_clock) return refusal("is being tried by another request", 1);
  return refusal("is cooling down for this model", whole_seconds(hold.until - now));
}

}  // namespace akr
