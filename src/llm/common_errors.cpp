// Sources: RFC 6750 section 3.1 (insufficient_scope); docs.github.com (rate limits and permissions of the REST API);
// developers.google.com (errors of Google APIs); developers.cloudflare.com ("Detect a challenge page", 1xxx errors);
// docs.aws.amazon.com (x-amzn-waf-action); openrouter.ai/docs (403: flagged input); public code of new-api and
// DashScope's clients (refusals of content).
#include "llm/common_errors.hpp"

#include "base/strings.hpp"
#include "llm/error_hints.hpp"
#include "llm/error_rules.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

using K = FailureKind;
using M = ErrorRule::Match;

constexpr ErrorRule kRules[] = {
    // The account, before what it may have done.
    {403, M::kPhrase, "account has been suspended", K::kSuspended, "account_suspended"},
    {403, M::kPhrase, "account is suspended", K::kSuspended, "account_suspended"},
    {403, M::kPhrase, "account was suspended", K::kSuspended, "account_suspended"},

    // Content that is refused, whoever brings it.
    {403, M::kWord, "content_policy_violation", K::kRequest},
    {403, M::kWord, "content_filter", K::kRequest},
    {403, M::kWord, "moderation_blocked", K::kRequest},
    {403, M::kWord, "data_inspection_failed", K::kRequest},
    {403, M::kWord, "DataInspectionFailed", K::kRequest, "data_inspection_failed"},
    {403, M::kWord, "sensitive_words_detected", K::kRequest},
    {403, M::kPhrase, "input was flagged", K::kRequest, "moderation"},
    {403, M::kPhrase, "prompt was flagged", K::kRequest, "moderation"},
    {403, M::kPhrase, "content was flagged", K::kRequest, "moderation"},
    {403, M::kPhrase, "request was flagged", K::kRequest, "moderation"},
    {403, M::kPhrase, "message was flagged", K::kRequest, "moderation"},
    {403, M::kPhrase, "requires moderation", K::kRequest, "moderation"},
    {403, M::kPhrase, "content moderation", K::kRequest, "moderation"},
    {403, M::kPhrase, "content policy", K::kRequest, "moderation"},
    {403, M::kPhrase, "content management policy", K::kRequest, "moderation"},
    {403, M::kPhrase, "safety system", K::kRequest, "moderation"},
    {403, M::kPhrase, "inappropriate content", K::kRequest, "moderation"},
    {403, M::kPhrase, "sensitive words", K::kRequest, "moderation"},

    // One operation that this key may not do.
    {401, M::kWord, "insufficient_scope", K::kPermission},
    {403, M::kWord, "insufficient_scope", K::kPermission},
    {401, M::kWord, "missing_scope", K::kPermission},
    {403, M::kWord, "missing_scope", K::kPermission},
    {401, M::kWord, "insufficient_permissions", K::kPermission},
    {403, M::kWord, "insufficient_permissions", K::kPermission},
    {403, M::kWord, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", K::kPermission, "insufficient_scope"},
    {401, M::kPhrase, "missing scope", K::kPermission, "missing_scope"},
    {403, M::kPhrase, "missing scope", K::kPermission, "missing_scope"},
    {401, M::kPhrase, "insufficient permissions", K::kPermission, "insufficient_permissions"},
    {403, M::kPhrase, "insufficient permissions", K::kPermission, "insufficient_permissions"},
    {403, M::kPhrase, "insufficient scope", K::kPermission, "insufficient_scope"},
    {403, M::kPhrase, "insufficient authentication scopes", K::kPermission, "insufficient_scope"},
    {403, M::kPhrase, "sufficient permissions", K::kPermission, "insufficient_permissions"},
    {403, M::kPhrase, "resource not accessible by", K::kPermission, "insufficient_permissions"},

    // Limits that come as 403.
    {403, M::kWord, "rateLimitExceeded", K::kRateLimit, "rate_limit"},
    {403, M::kWord, "userRateLimitExceeded", K::kRateLimit, "rate_limit"},
    {403, M::kWord, "dailyLimitExceeded", K::kDailyQuota, "daily_quota"},
    {403, M::kWord, "quotaExceeded", K::kDailyQuota, "daily_quota"},
    {403, M::kPhrase, "rate limit", K::kRateLimit, "rate_limit"},
    {403, M::kPhrase, "too many requests", K::kRateLimit, "rate_limit"},
};

// Fields that a front adds when it answers in the provider's place.
constexpr std::string_view kChallengeFields[] = {"cf-mitigated", "x-vercel-mitigated", "x-amzn-waf-action"};

bool is_markup(std::string_view content_type) {
  return istarts_with(content_type, "text/html") || istarts_with(content_type, "application/xhtml");
}

// Cloudflare's refusals in one line: "error code: 1020".
bool is_front_code(const ErrorAnswer& answer) {
  const auto server = find_header(answer.headers, "server");
  return server && iequals(*server, "cloudflare") && answer.body.starts_with("error code: 1");
}

bool names_scope(const ErrorAnswer& answer) {
  if (answer.status != 401 && answer.status != 403) return false;
  const auto challenge = find_header(answer.headers, "www-authenticate");
  return challenge && challenge->find("insufficient_scope") != std::string_view::npos;
}

}  // namespace

bool is_front_page(const ErrorAnswer& answer) {
  if (answer.status != 401 && answer.status != 403 && answer.status != 429) return false;
  for (const std::string_view name : kChallengeFields) {
    if (find_header(answer.headers, name)) return true;
  }
  if (is_front_code(answer)) return true;
  const auto type = find_header(answer.headers, "content-type");
  // Some limiters of APIs say it in HTML; fronts keep no counters of keys.
  return type && is_markup(*type) && !limit_counters(answer.headers, answer.now).empty;
}

ErrorDetail explain_front_page() {
  constexpr int kBadGateway = 502;
  return {.status = kBadGateway, .kind = K::kUnknown, .code = "front_page"};
}

void explain_in_common(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) {
  if (answer.status == 403 && (detail.kind == K::kUnknown || detail.kind == K::kPermission) &&
      head_tells_limit(answer)) {
    detail.kind = K::kRateLimit;
    detail.code = "rate_limit";
  }
  if (detail.kind == K::kUnknown && names_scope(answer)) {
    detail.kind = K::kPermission;
    detail.code = "insufficient_scope";
  }
  if (detail.kind == K::kUnknown) apply_rule(find_rule(kRules, answer.status, facts), detail);
}

ErrorDetail explain_unknown(const ErrorAnswer& answer) {
  if (is_front_page(answer)) return explain_front_page();
  ErrorFacts facts = read_error_facts(answer.body);
  ErrorDetail detail{.status = answer.status};
  // Of a server's own trouble only the head is believed.
  detail.retry_after = answer.status >= 500 ? retry_hint(answer.headers, answer.now) : hint_of(answer, facts);
  explain_in_common(answer, facts, detail);
  detail.message = std::move(facts.message);
  return detail;
}

}  // namespace akr
