// Sources: RFC 6585; docs.github.com (rate limits of the REST API); developers.google.com (errors of Google APIs).
#include "llm/common_errors.hpp"

#include "base/strings.hpp"
#include "llm/error_hints.hpp"
#include "llm/error_rules.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

using K = ErrorKind;
using M = ErrorRule::Match;

constexpr ErrorRule kRules[] = {
    // Limits that come as 403.
    {403, M::kWord, "rateLimitExceeded", K::kRateLimit, "rate_limit"},
    {403, M::kWord, "userRateLimitExceeded", K::kRateLimit, "rate_limit"},
    {403, M::kWord, "dailyLimitExceeded", K::kDailyQuota, "daily_quota"},
    {403, M::kWord, "quotaExceeded", K::kDailyQuota, "daily_quota"},
    {403, M::kPhrase, "rate limit", K::kRateLimit, "rate_limit"},
    {403, M::kPhrase, "too many requests", K::kRateLimit, "rate_limit"},
};

}  // namespace

void explain_in_common(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) {
  if (answer.status == 403 && (detail.kind == K::kUnknown || detail.kind == K::kPermission) &&
      head_tells_limit(answer)) {
    detail.kind = K::kRateLimit;
    detail.code = "rate_limit";
  }
  if (detail.kind == K::kUnknown) apply_rule(find_rule(kRules, answer.status, facts), detail);
}

ErrorDetail explain_unknown(const ErrorAnswer& answer) {
  ErrorFacts facts = read_error_facts(answer.body);
  ErrorDetail detail{.status = answer.status};
  // Of a server's own trouble only the head is believed.
  detail.retry_after = answer.status >= 500 ? retry_hint(answer.headers, answer.now) : hint_of(answer, facts);
  explain_in_common(answer, facts, detail);
  detail.message = std::move(facts.message);
  return detail;
}

}  // namespace akr
