#include "llm/error_rules.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace akr {
namespace {

struct MeantStatus {
  std::string_view word;
  int status;
};

constexpr MeantStatus kMeantStatuses[] = {
    {"invalid_api_key", 401},
    {"authentication_error", 401},
    {"UNAUTHENTICATED", 401},
    {"billing_error", 402},
    {"permission_error", 403},
    {"PERMISSION_DENIED", 403},
    {"model_not_found", 404},
    {"not_found_error", 404},
    {"NOT_FOUND", 404},
    {"request_too_large", 413},
    {"rate_limit_exceeded", 429},
    {"insufficient_quota", 429},
    {"rate_limit_error", 429},
    {"requests", 429},
    {"tokens", 429},
    {"RESOURCE_EXHAUSTED", 429},
    {"server_is_overloaded", 503},
    {"UNAVAILABLE", 503},
    {"slow_down", 503},
    {"service_unavailable_error", 503},
    {"overloaded_error", 529},
    {"timeout_error", 504},
    {"DEADLINE_EXCEEDED", 504},
    {"context_length_exceeded", 400},
    {"content_filter", 400},
    {"content_policy_violation", 400},
    {"invalid_prompt", 400},
    {"bio_policy", 400},
    {"cyber_policy", 400},
    {"invalid_request_error", 400},
    {"INVALID_ARGUMENT", 400},
    {"FAILED_PRECONDITION", 400},
};

bool is_error_status(int status) { return status >= 400 && status < 600; }

bool has_word(const ErrorFacts& facts, std::string_view word) {
  return facts.code == word || facts.type == word || facts.status == word || facts.error_code == word ||
         facts.has_reason(word);
}

bool fits(const ErrorRule& rule, int status, const ErrorFacts& facts) {
  if (rule.status != 0 && rule.status != status) return false;
  switch (rule.match) {
    case ErrorRule::Match::kWord:
      return has_word(facts, rule.text);
    case ErrorRule::Match::kPhrase:
      return facts.says(rule.text);
    case ErrorRule::Match::kStatus:
      return true;
  }
  return false;
}

}  // namespace

const ErrorRule* find_rule(std::span<const ErrorRule> rules, int status, const ErrorFacts& facts) {
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const ErrorRule& rule) { return fits(rule, status, facts); });
  return found == rules.end() ? nullptr : &*found;
}

int meant_status(const ErrorFacts& facts) {
  if (is_error_status(facts.number)) return facts.number;
  const auto as_text = parse_u64(facts.code);
  if (as_text && *as_text < 600 && is_error_status(static_cast<int>(*as_text))) return static_cast<int>(*as_text);
  for (const auto& meant : kMeantStatuses) {
    if (has_word(facts, meant.word)) return meant.status;
  }
  return 500;
}

void apply_rule(const ErrorRule* rule, ErrorDetail& detail) {
  if (rule == nullptr) return;
  detail.kind = rule->kind;
  detail.code = rule->code.empty() ? rule->text : rule->code;
  if (rule->hold.count() == 0 || detail.retry_after) return;
  detail.retry_after = rule->hold;
  detail.retry_from = WaitSource::kDefault;
}

}  // namespace akr
