#include "llm/provider/anthropic/errors.hpp"

#include <chrono>

#include "llm/rate_limit_hints.hpp"

namespace akr::anthropic_errors {
namespace {

using std::chrono::minutes;
using K = FailureKind;
using M = ErrorRule::Match;

// `type` names little more than the status here; what matters is in error_code and in the sentence, so they come first.
constexpr ErrorRule kRules[] = {
    {400, M::kPhrase, "credit balance is too low", K::kQuota, "credit_balance_too_low"},
    {400, M::kPhrase, "regain access on", K::kMonthlyQuota, "usage_limit_reached"},
    {400, M::kPhrase, "api usage limits", K::kMonthlyQuota, "usage_limit_reached"},
    {400, M::kWord, "organization_on_hold", K::kSuspended},
    {400, M::kPhrase, "organization has been disabled", K::kSuspended, "organization_disabled"},
    {403, M::kPhrase, "organization has been disabled", K::kSuspended, "organization_disabled"},
    {400, M::kPhrase, "only authorized for use with", K::kCredential, "credential_for_other_use"},
    {400, M::kWord, "invalid_request_error", K::kRequest},

    // A browser's Origin travelled on; no key would help.
    {401, M::kPhrase, "cors requests must set", K::kRequest, "cors_request"},
    // An OAuth token runs out by itself and may be renewed under the same key: two in a row have to confirm it.
    {401, M::kPhrase, "token has expired", K::kUnknown, "token_expired"},
    {401, M::kPhrase, "token expired", K::kUnknown, "token_expired"},
    {401, M::kPhrase, "invalid x-api-key", K::kCredential, "invalid_api_key"},
    {401, M::kPhrase, "invalid bearer token", K::kCredential, "invalid_api_key"},
    {401, M::kPhrase, "invalid api key", K::kCredential, "invalid_api_key"},
    // Without that sentence the type repeats the status, which any front may answer when the base URL is wrong.
    {401, M::kWord, "authentication_error", K::kUnknown},

    {402, M::kStatus, {}, K::kQuota, "billing_error"},

    {403, M::kPhrase, "request not allowed", K::kRegion, "request_not_allowed"},
    {403, M::kWord, "permission_error", K::kPermission, {}, minutes(10)},
    {404, M::kPhrase, "model:", K::kModelUnavailable, "model_not_found", minutes(10)},
    {413, M::kWord, "request_too_large", K::kRequest},

    {429, M::kWord, "enforced_spend_limit_reached", K::kMonthlyQuota},
    {429, M::kWord, "contract_spend_limit_reached", K::kMonthlyQuota},
    {429, M::kWord, "ramp_limit_exceeded", K::kRateLimit},
    {429, M::kPhrase, "extra usage", K::kTooLargeForKey, "extra_usage_required"},
    {429, M::kWord, "overloaded_error", K::kOverloaded},
    {429, M::kWord, "rate_limit_error", K::kRateLimit},

    {0, M::kWord, "overloaded_error", K::kOverloaded},
};

// Subscription credentials: "rejected" means that a window of hours or days is used up.
void refine_unified(const ErrorAnswer& answer, ErrorDetail& detail) {
  const auto status = find_header(answer.headers, "anthropic-ratelimit-unified-status");
  if (status != "rejected") return;
  const auto reset = find_header(answer.headers, "anthropic-ratelimit-unified-reset");
  detail.kind = FailureKind::kQuota;
  detail.code = "unified_limit_rejected";
  if (const auto wait = reset ? parse_reset(*reset, answer.now) : std::nullopt) detail.retry_after = wait;
}

}  // namespace

std::span<const ErrorRule> rules() { return kRules; }

void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) {
  if (answer.status == 429 && detail.kind == FailureKind::kRateLimit) refine_unified(answer, detail);
  if (detail.kind == FailureKind::kMonthlyQuota) {
    const auto named = find_regain_date(facts.message, answer.now);
    detail.retry_after = named ? *named : until_next_month(answer.now);
  }
}

}  // namespace akr::anthropic_errors
