#include "llm/provider/openai/errors.hpp"

#include <chrono>

#include "llm/google_quota.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr::openai_errors {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using K = FailureKind;
using M = ErrorRule::Match;

// Order matters: a code of its own before the type that many errors share, a word before a phrase, and a phrase that
// narrows a word ("per day" among rate limits) before that word.
constexpr ErrorRule kRules[] = {
    // The request.
    {0, M::kWord, "context_length_exceeded", K::kRequest},
    {0, M::kWord, "content_policy_violation", K::kRequest},
    {0, M::kWord, "content_filter", K::kRequest},
    {0, M::kWord, "invalid_prompt", K::kRequest},
    {0, M::kWord, "cyber_policy", K::kRequest},
    {0, M::kWord, "bio_policy", K::kRequest},
    {404, M::kWord, "DeploymentNotFound", K::kRequest},

    // Where we stand.
    {403, M::kWord, "unsupported_country_region_territory", K::kRegion},
    {400, M::kPhrase, "user location is not supported", K::kRegion},
    {401, M::kWord, "ip_not_authorized", K::kAddressRefused, {}, minutes(10)},
    {401, M::kPhrase, "ip address", K::kAddressRefused, "ip_not_authorized", minutes(10)},
    {403, M::kWord, "ip_not_authorized", K::kAddressRefused, {}, minutes(10)},

    // The key.  Azure says the same for a wrong endpoint, so a second 401 has to confirm it.
    {401, M::kPhrase, "invalid subscription key or wrong api endpoint", K::kUnknown, "azure_access_denied"},
    {0, M::kWord, "invalid_api_key", K::kCredential},
    {0, M::kWord, "API_KEY_INVALID", K::kCredential},
    {400, M::kPhrase, "api key not valid", K::kCredential, "api_key_invalid"},
    {400, M::kPhrase, "api key expired", K::kCredential, "api_key_expired"},
    {0, M::kWord, "account_deactivated", K::kSuspended},
    {0, M::kWord, "deactivated_workspace", K::kSuspended},
    {401, M::kWord, "token_expired", K::kCredential},
    {401, M::kWord, "token_revoked", K::kCredential},
    {401, M::kWord, "invalid_organization", K::kCredential},
    {401, M::kWord, "mismatched_organization", K::kCredential},
    {401, M::kWord, "mismatched_project", K::kCredential},
    {401, M::kPhrase, "must be a member of an organization", K::kCredential, "invalid_organization"},
    {401, M::kPhrase, "incorrect api key provided", K::kCredential, "invalid_api_key"},
    {401, M::kPhrase, "no auth credentials", K::kCredential, "no_auth_credentials"},
    {401, M::kPhrase, "insufficient permissions", K::kPermission, "insufficient_permissions"},
    {401, M::kPhrase, "missing scopes", K::kPermission, "insufficient_permissions"},

    // Money.
    {0, M::kWord, "billing_not_active", K::kQuota},
    {0, M::kWord, "billing_error", K::kQuota},
    {0, M::kWord, "insufficient_balance", K::kQuota},
    {0, M::kWord, "insufficient_user_quota", K::kQuota},
    {0, M::kWord, "payment_required", K::kQuota},
    {0, M::kWord, "organization_usage_limit_exceeded", K::kMonthlyQuota},
    {0, M::kWord, "organization_spend_limit_exceeded", K::kMonthlyQuota},
    {0, M::kWord, "project_spend_limit_exceeded", K::kMonthlyQuota},
    {0, M::kWord, "credit_balance_exhausted", K::kQuota},
    {0, M::kWord, "Arrearage", K::kQuota, "arrearage"},  // Alibaba: the account is in arrears
    {400, M::kPhrase, "account is in good standing", K::kQuota, "arrearage"},
    {403, M::kPhrase, "account is in good standing", K::kQuota, "arrearage"},
    {0, M::kWord, "AccountOverdueError", K::kQuota, "account_overdue"},  // Volcengine
    {0, M::kWord, "ServiceOverdue", K::kQuota, "account_overdue"},
    {0, M::kWord, "exceeded_current_quota_error", K::kQuota},    // Moonshot
    {0, M::kWord, "pre_consume_token_quota_failed", K::kQuota},  // new-api
    {0, M::kWord, "billing_hard_limit_reached", K::kQuota},
    {0, M::kWord, "quota_exceeded", K::kQuota},
    {0, M::kWord, "insufficient_quota", K::kQuota},
    {400, M::kPhrase, "insufficient balance", K::kQuota, "insufficient_balance"},
    {400, M::kPhrase, "insufficient credit", K::kQuota, "insufficient_balance"},
    {403, M::kPhrase, "insufficient balance", K::kQuota, "insufficient_balance"},
    {403, M::kPhrase, "insufficient credit", K::kQuota, "insufficient_balance"},

    // What this key may use.
    {403, M::kWord, "model_not_found", K::kModelUnavailable, {}, hours(1)},
    {403, M::kPhrase, "does not have access to model", K::kModelUnavailable, "model_not_found", hours(1)},
    {404, M::kWord, "model_not_found", K::kModelUnavailable, {}, minutes(10)},
    {403, M::kPhrase, "suspended", K::kSuspended, "account_suspended"},
    {403, M::kPhrase, "account has been disabled", K::kSuspended, "account_suspended"},
    {403, M::kPhrase, "account is disabled", K::kSuspended, "account_suspended"},
    {403, M::kPhrase, "been terminated", K::kSuspended, "account_suspended"},

    // Too much.
    {429, M::kWord, "slow_down", K::kOverloaded},
    {429, M::kPhrase, "engine is", K::kOverloaded, "engine_overloaded"},
    {429, M::kPhrase, "no capacity", K::kOverloaded, "no_capacity"},
    {429, M::kPhrase, "request too large for", K::kTooLargeForKey, "request_too_large"},
    {429, M::kPhrase, "per day", K::kDailyQuota, "requests_per_day", hours(24)},
    {429, M::kWord, "rate_limit_exceeded", K::kRateLimit},
    {429, M::kWord, "rate_limit_error", K::kRateLimit},
    {429, M::kWord, "requests", K::kRateLimit, "rate_limit_exceeded"},
    {429, M::kWord, "tokens", K::kRateLimit, "rate_limit_exceeded"},

    // The provider's own trouble.
    {0, M::kWord, "server_is_overloaded", K::kOverloaded},
    {503, M::kWord, "slow_down", K::kOverloaded},
    {503, M::kWord, "service_unavailable", K::kOverloaded},
    {503, M::kWord, "service_unavailable_error", K::kOverloaded},
    {503, M::kWord, "UNAVAILABLE", K::kOverloaded, "unavailable"},
    {0, M::kWord, "overloaded_error", K::kOverloaded},
    {0, M::kWord, "overloaded", K::kOverloaded},

    // Last: this type stands on almost every 400.
    {400, M::kWord, "invalid_request_error", K::kRequest},
};

// Azure uses OpenAI's word for an empty minute; OpenAI itself sends no hint when waiting does not help.
constexpr Duration kShortWait = seconds(120);

}  // namespace

std::span<const ErrorRule> rules() { return kRules; }

void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) {
  refine_google_quota(answer, facts, detail);
  if (answer.status == 429 && detail.kind == FailureKind::kQuota && detail.retry_after &&
      *detail.retry_after <= kShortWait) {
    detail.kind = FailureKind::kRateLimit;
  }
  if (detail.kind == FailureKind::kMonthlyQuota) detail.retry_after = until_next_month(answer.now);
  if (detail.code == "requests_per_day") {
    // The bucket knows better than the sentence, which speaks of one request's worth.
    const auto reset = find_header(answer.headers, "x-ratelimit-reset-requests");
    const auto wait = reset ? parse_reset(*reset, answer.now) : std::nullopt;
    if (wait && *wait > Duration::zero()) detail.retry_after = wait;
  }
}

}  // namespace akr::openai_errors
