#include "llm/provider/gemini/errors.hpp"

#include <chrono>

#include "llm/google_quota.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr::gemini_errors {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using K = FailureKind;
using M = ErrorRule::Match;

// A reason (ErrorInfo) before the sentence, the sentence before the status word, which repeats the HTTP status.
constexpr ErrorRule kRules[] = {
    {400, M::kWord, "API_KEY_INVALID", K::kCredential, "api_key_invalid"},
    {400, M::kPhrase, "api key not valid", K::kCredential, "api_key_invalid"},
    {400, M::kPhrase, "api key expired", K::kCredential, "api_key_expired"},
    {400, M::kPhrase, "user location is not supported", K::kRegion, "user_location"},
    {400, M::kPhrase, "enable billing", K::kQuota, "free_tier_not_available"},
    {400, M::kWord, "INVALID_ARGUMENT", K::kRequest, "invalid_argument"},
    {400, M::kWord, "FAILED_PRECONDITION", K::kRequest, "failed_precondition"},

    // Neither is about the key: a token was sent that is none, or the method wants one where all that we have are keys.
    {401, M::kWord, "ACCESS_TOKEN_TYPE_UNSUPPORTED", K::kRequest, "access_token_type_unsupported"},
    {401, M::kWord, "CREDENTIALS_MISSING", K::kRequest, "credentials_missing"},
    {401, M::kWord, "UNAUTHENTICATED", K::kUnknown, "unauthenticated"},  // repeats the status
    {402, M::kStatus, {}, K::kQuota, "prepayment_depleted"},

    {403, M::kWord, "CONSUMER_SUSPENDED", K::kSuspended, "consumer_suspended"},
    {403, M::kPhrase, "has been suspended", K::kSuspended, "consumer_suspended"},
    {403, M::kPhrase, "reported as leaked", K::kCredential, "key_leaked"},
    {403, M::kWord, "SERVICE_DISABLED", K::kSuspended, "service_disabled"},
    {403, M::kWord, "ACCESS_NOT_CONFIGURED", K::kSuspended, "service_disabled"},
    {403, M::kPhrase, "has not been used in project", K::kSuspended, "service_disabled"},
    {403, M::kWord, "API_KEY_SERVICE_BLOCKED", K::kCredential, "api_key_service_blocked"},
    {403, M::kWord, "API_KEY_HTTP_REFERRER_BLOCKED", K::kCredential, "api_key_referrer_blocked"},
    {403, M::kWord, "API_KEY_IP_ADDRESS_BLOCKED", K::kCredential, "api_key_ip_blocked"},
    {403, M::kPhrase, "project has been denied access", K::kSuspended, "project_denied"},
    // Ours to fix, not the key's: no key arrived.
    {403, M::kPhrase, "unregistered callers", K::kRequest, "no_key_was_sent"},
    // A file belongs to the key that made it.
    {403, M::kPhrase, "permission to access the file", K::kRequest, "not_the_owner"},
    {403, M::kPhrase, "permission to access tuned model", K::kRequest, "not_the_owner"},
    {403, M::kPhrase, "cachedcontent", K::kRequest, "not_the_owner"},

    {404, M::kPhrase, "is not found for api version", K::kModelUnavailable, "model_not_found", minutes(10)},
    {404, M::kPhrase, "not supported for", K::kModelUnavailable, "model_not_found", minutes(10)},
    {404, M::kPhrase, "models/", K::kModelUnavailable, "model_not_found", minutes(10)},
    {404, M::kPhrase, "publisher model", K::kModelUnavailable, "model_not_found", minutes(10)},

    {429, M::kWord, "MODEL_CAPACITY_EXHAUSTED", K::kOverloaded, "model_capacity_exhausted"},
    {429, M::kPhrase, "prepayment credits", K::kQuota, "prepayment_depleted"},
    {499, M::kStatus, {}, K::kRequest, "cancelled"},
    {503, M::kWord, "UNAVAILABLE", K::kOverloaded, "unavailable"},
    {503, M::kPhrase, "overloaded", K::kOverloaded, "unavailable"},
};

// Beyond this a wait is the rest of a day's quota, not a busy minute.
constexpr Duration kLongestMinuteWait = minutes(10);

// Vertex's shared quota says only that others were faster; the Developer API names the quota or sends RetryInfo.
bool is_shared_capacity(const ErrorFacts& facts, const ErrorDetail& detail) {
  return !facts.quota_failure && !detail.retry_after && facts.says("resource exhausted");
}

}  // namespace

std::span<const ErrorRule> rules() { return kRules; }

void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) {
  refine_google_quota(answer, facts, detail);
  if (answer.status != 429 || detail.kind != FailureKind::kUnknown) return;
  if (is_shared_capacity(facts, detail)) {
    detail.kind = FailureKind::kOverloaded;
    detail.code = "shared_quota_exhausted";
  } else if (detail.retry_after && *detail.retry_after > kLongestMinuteWait) {
    detail.kind = FailureKind::kDailyQuota;
    detail.code = "quota_until_retry_delay";
  } else {
    detail.kind = FailureKind::kRateLimit;
    detail.code = "resource_exhausted";
    if (detail.retry_after) return;
    detail.retry_after = seconds(60);
    detail.retry_from = WaitSource::kDefault;
  }
}

}  // namespace akr::gemini_errors
