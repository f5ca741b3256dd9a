#include "core/outcome/outcome.hpp"

#include <algorithm>
#include <chrono>

#include "core/outcome/http_reason.hpp"

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kShortest = seconds(1);
constexpr Duration kLongestCooldown = hours(1);
constexpr Duration kLongestOverload = seconds(60);
constexpr Duration kLongestQuota = hours(24);
constexpr Duration kLongestDay = hours(25);
constexpr Duration kLongestMonth = hours(31 * 24);
constexpr Duration kModelHold = minutes(10);

std::optional<Duration> clamp_hint(std::optional<Duration> hint, Duration longest) {
  if (!hint) return std::nullopt;
  return std::clamp(*hint, kShortest, longest);
}

// ---- no answer at all

// Nobody's fault but the way there or the upstream: a second try is worth it, with whichever key.
Verdict upstream_trouble(std::string_view reason, RetryAdvice retry = RetryAdvice::kSameKey) {
  return {.retry = retry, .endpoint = EndpointEffect::kFail, .reason = reason};
}

Verdict blameless(std::string_view reason) { return {.reason = reason}; }

Verdict classify_transport(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kDns:
      return upstream_trouble("dns");
    case AttemptEnd::kConnect:
      return upstream_trouble("connect");
    case AttemptEnd::kTls:
      return upstream_trouble("tls");
    case AttemptEnd::kEgressProxy:
      return upstream_trouble("egress_proxy");
    case AttemptEnd::kFirstByteTimeout:
      return upstream_trouble("first_byte_timeout");
    // The time the operator allows is over; another attempt would need as much again.
    case AttemptEnd::kTotalTimeout:
      return upstream_trouble("total_timeout", RetryAdvice::kReturn);
    case AttemptEnd::kClosedBeforeHead:
      return upstream_trouble("closed_before_head");
    case AttemptEnd::kProtocol:
      return upstream_trouble("protocol");
    case AttemptEnd::kInterrupted:
      return upstream_trouble("interrupted", RetryAdvice::kReturn);
    case AttemptEnd::kClientGone:
      return blameless("client_gone");
    case AttemptEnd::kGateway:
      return blameless("gateway");
    case AttemptEnd::kAnswered:
      break;
  }
  return blameless("gateway");
}

// ---- an answer that only its status explains (behaviour.md section 2)

// A provider's code that explains no more than the status is still the better reason.
std::string_view reason_of(const UpstreamFailure& failure, std::string_view fallback) {
  return failure.code.empty() ? fallback : failure.code;
}

std::string_view status_reason(const UpstreamFailure& failure) {
  return reason_of(failure, http_reason(failure.status));
}

Verdict of_request(const UpstreamFailure& failure) {
  return {.endpoint = EndpointEffect::kOk, .reason = status_reason(failure)};
}

Verdict of_key(const UpstreamFailure& failure, KeyAction action, Scope scope, std::optional<Duration> cool_for) {
  return {.key = action,
          .scope = scope,
          .cool_for = cool_for,
          .wait_from = failure.retry_from,
          .retry = RetryAdvice::kNextKey,
          .endpoint = EndpointEffect::kOk,
          .reason = status_reason(failure)};
}

Verdict classify_4xx(const UpstreamFailure& failure) {
  const auto hint = failure.retry_after;
  switch (failure.status) {
    case 401:
      return of_key(failure, KeyAction::kSuspect, Scope::kKey, std::nullopt);
    case 402:
    case 432:  // Tavily: plan limit
    case 433:  // Tavily: pay-as-you-go limit
      return of_key(failure, KeyAction::kExhaust, Scope::kKey, clamp_hint(hint, kLongestQuota));
    case 403:
      if (!hint) return of_key(failure, KeyAction::kForbid, Scope::kKey, std::nullopt);
      // It says when to come back: a limit, as GitHub tells its own.
      return of_key(failure, KeyAction::kCool, Scope::kKeyModel, clamp_hint(hint, kLongestCooldown));
    case 408:
    case 425:
      return upstream_trouble(status_reason(failure));
    case 429:
      return of_key(failure, KeyAction::kCool, Scope::kKeyModel, clamp_hint(hint, kLongestCooldown));
    default:
      return of_request(failure);
  }
}

Verdict classify_5xx(const UpstreamFailure& failure) {
  if (failure.status == 501 || failure.status == 505) return of_request(failure);  // will be the same next time
  Verdict verdict = upstream_trouble(status_reason(failure));
  if ((failure.status == 503 || failure.status == 529) && failure.retry_after) {
    verdict.key = KeyAction::kCool;
    verdict.scope = Scope::kKeyModel;
    verdict.cool_for = clamp_hint(failure.retry_after, kLongestOverload);
    verdict.wait_from = failure.retry_from;
    verdict.retry = RetryAdvice::kNextKey;
  }
  return verdict;
}

Verdict classify_status(const UpstreamFailure& failure) {
  const int status = failure.status;
  if (status >= 500 && status < 600) return classify_5xx(failure);
  if (status >= 400 && status < 500) return classify_4xx(failure);
  if (status >= 300 && status < 400) return of_request(failure);
  if (status >= 100 && status < 300) return {.key = KeyAction::kGood, .endpoint = EndpointEffect::kOk, .reason = "ok"};
  return upstream_trouble("protocol");
}

// ---- an answer whose body says what it means (llm-formats.md section 4.3)

Verdict explained(const UpstreamFailure& failure, KeyAction action, Scope scope, std::string_view fallback) {
  return {.key = action,
          .scope = scope,
          .retry = RetryAdvice::kNextKey,
          .endpoint = EndpointEffect::kOk,
          .reason = reason_of(failure, fallback)};
}

Verdict explained_request(const UpstreamFailure& failure, std::string_view fallback, RetryAdvice retry) {
  return {.retry = retry, .endpoint = EndpointEffect::kOk, .reason = reason_of(failure, fallback)};
}

Verdict overloaded(const UpstreamFailure& failure) {
  // A 429 that means "no capacity" comes from a front that works; only a 5xx counts against the endpoint.
  const auto effect = failure.status >= 500 ? EndpointEffect::kFail : EndpointEffect::kOk;
  return {.retry = RetryAdvice::kSameKey, .endpoint = effect, .reason = reason_of(failure, "overloaded")};
}

// Rests for as long as was said, else for `otherwise`.
Verdict resting(Verdict verdict, const UpstreamFailure& failure, Duration longest,
                std::optional<Duration> otherwise = std::nullopt) {
  verdict.cool_for = clamp_hint(failure.retry_after ? failure.retry_after : otherwise, longest);
  verdict.wait_from = failure.retry_after ? failure.retry_from : WaitSource::kDefault;
  return verdict;
}

// The provider named the limit, and with it the day or month that it lasts.
Verdict resting_for_period(Verdict verdict, const UpstreamFailure& failure, Duration longest) {
  verdict.cool_for = clamp_hint(failure.retry_after, longest);
  return verdict;
}

// What is said of us, and not of the key.
Verdict about_address(Verdict verdict) {
  verdict.refuses_address = true;
  return verdict;
}

Verdict without_access(Verdict verdict, bool lacks_model) {
  verdict.denies_access = true;
  verdict.lacks_model = lacks_model;
  return verdict;
}

Verdict classify_limit(const UpstreamFailure& failure) {
  const auto of = [&](KeyAction action, Scope scope, std::string_view reason) {
    return explained(failure, action, scope, reason);
  };
  if (failure.kind == FailureKind::kRateLimit)
    return resting(of(KeyAction::kCool, Scope::kGroupModel, "rate_limit"), failure, kLongestCooldown);
  if (failure.kind == FailureKind::kDailyQuota)
    return resting_for_period(of(KeyAction::kExhaust, Scope::kGroupModel, "daily_quota"), failure, kLongestDay);
  if (failure.kind == FailureKind::kMonthlyQuota)
    return resting_for_period(of(KeyAction::kExhaust, Scope::kGroup, "monthly_quota"), failure, kLongestMonth);
  return resting(of(KeyAction::kExhaust, Scope::kGroup, "quota"), failure, kLongestQuota);
}

Verdict classify_kind(const UpstreamFailure& failure) {
  const auto cools = [&](Scope scope, std::string_view reason, Duration longest) {
    return resting(explained(failure, KeyAction::kCool, scope, reason), failure, longest, kModelHold);
  };
  switch (failure.kind) {
    case FailureKind::kUnknown:
      break;
    case FailureKind::kRequest:
      return explained_request(failure, "request", RetryAdvice::kReturn);
    case FailureKind::kRegion:
      return about_address(explained_request(failure, "egress_region", RetryAdvice::kReturn));
    case FailureKind::kTooLargeForKey:
      return explained_request(failure, "too_large_for_key", RetryAdvice::kNextKey);
    case FailureKind::kOverloaded:
      return overloaded(failure);
    case FailureKind::kCredential:
      return explained(failure, KeyAction::kInvalidate, Scope::kKey, "credential");
    case FailureKind::kSuspended:
      return explained(failure, KeyAction::kInvalidate, Scope::kGroup, "suspended");
    case FailureKind::kRateLimit:
    case FailureKind::kQuota:
    case FailureKind::kDailyQuota:
    case FailureKind::kMonthlyQuota:
      return classify_limit(failure);
    case FailureKind::kPermission:
      return without_access(cools(Scope::kKeyModel, "permission", kLongestCooldown), false);
    case FailureKind::kModelUnavailable:
      return without_access(cools(Scope::kKeyModel, "model_unavailable", kLongestQuota), true);
    case FailureKind::kAddressRefused:
      return about_address(cools(Scope::kGroup, "address_refused", kLongestCooldown));
  }
  return classify_status(failure);
}

}  // namespace

Verdict classify(const UpstreamFailure& failure) {
  return failure.end == AttemptEnd::kAnswered ? classify_kind(failure) : classify_transport(failure.end);
}

}  // namespace akr
