// failure_rule_presets.cpp - built-in rule lists; declared in failure_rules.hpp.
#include <algorithm>

#include "core/outcome/failure_rules.hpp"

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// The rows of llm-formats.md section 4.3 that a status alone would misjudge, for services that reach these providers
// through a GENERIC path.
const std::vector<FailureRule>& openai() {
  static const std::vector<FailureRule> kRules = {
      {.statuses = {401, 400},
       .json_pointer = "/error/code",
       .json_regex = "^(invalid_api_key|account_deactivated)$",
       .action = RuleAction::kInvalidate},
      {.statuses = {400, 403, 429},
       .json_pointer = "/error/code",
       .json_regex = "^(insufficient_quota|billing_not_active|billing_hard_limit_reached|credit_balance_exhausted)$",
       .action = RuleAction::kExhaust},
      {.statuses = {429},
       .json_pointer = "/error/code",
       .json_regex = "spend_limit_exceeded|usage_limit_exceeded",
       .action = RuleAction::kExhaust,
       .hold = hours(24)},
      {.statuses = {429},
       .json_pointer = "/error/message",
       .json_regex = "(?i)request too large for",
       .action = RuleAction::kRetry},
      {.statuses = {403},
       .json_pointer = "/error/code",
       .json_regex = "^unsupported_country_region_territory$",
       .action = RuleAction::kIgnore},
      {.statuses = {403},
       .json_pointer = "/error/code",
       .json_regex = "^model_not_found$",
       .action = RuleAction::kCool,
       .scope = Scope::kKeyModel,
       .hold = hours(1)},
  };
  return kRules;
}

const std::vector<FailureRule>& anthropic() {
  static const std::vector<FailureRule> kRules = {
      {.statuses = {401},
       .json_pointer = "/error/message",
       .json_regex = "invalid (x-api-key|bearer token)",
       .action = RuleAction::kInvalidate},
      {.statuses = {400},
       .json_pointer = "/error/message",
       .json_regex = "credit balance is too low",
       .action = RuleAction::kExhaust},
      {.statuses = {400},
       .json_pointer = "/error/message",
       .json_regex = "(?i)api usage limits",
       .action = RuleAction::kExhaust,
       .hold = hours(24)},
      {.statuses = {400, 403},
       .json_pointer = "/error/message",
       .json_regex = "organization has been disabled",
       .action = RuleAction::kInvalidate},
      {.statuses = {403},
       .json_pointer = "/error/message",
       .json_regex = "(?i)request not allowed",
       .action = RuleAction::kIgnore},
      {.statuses = {429},
       .json_pointer = "/error/details/error_code",
       .json_regex = "spend_limit_reached",
       .action = RuleAction::kExhaust,
       .hold = hours(24)},
  };
  return kRules;
}

const std::vector<FailureRule>& gemini() {
  static const std::vector<FailureRule> kRules = {
      {.statuses = {400},
       .body_regex = "API_KEY_INVALID|API key (not valid|expired)",
       .action = RuleAction::kInvalidate},
      {.statuses = {400},
       .json_pointer = "/error/message",
       .json_regex = "User location is not supported",
       .action = RuleAction::kIgnore},
      {.statuses = {403},
       .body_regex = "CONSUMER_SUSPENDED|has been suspended|reported as leaked|SERVICE_DISABLED",
       .action = RuleAction::kInvalidate},
      {.statuses = {403},
       .json_pointer = "/error/message",
       .json_regex = "permission to access the File",
       .action = RuleAction::kIgnore},
      {.statuses = {429},
       .body_regex = "\"quotaId\"\\s*:\\s*\"[^\"]*PerDay",
       .action = RuleAction::kExhaust,
       .hold = hours(1)},
      {.statuses = {429},
       .body_regex = "\"quotaId\"\\s*:\\s*\"[^\"]*PerMinute",
       .action = RuleAction::kCool,
       .scope = Scope::kGroupModel},
  };
  return kRules;
}

const std::vector<FailureRule>& tavily() {
  static const std::vector<FailureRule> kRules = {
      {.statuses = {401}, .body_regex = "(?i)invalid api key", .action = RuleAction::kInvalidate},
      {.statuses = {432, 433}, .action = RuleAction::kExhaust, .hold = hours(1)},  // plan, pay-as-you-go
      {.statuses = {429}, .action = RuleAction::kCool},
  };
  return kRules;
}

const std::vector<FailureRule>& serpapi() {
  static const std::vector<FailureRule> kRules = {
      {.statuses = {401},
       .json_pointer = "/error",
       .json_regex = "(?i)invalid api key",
       .action = RuleAction::kInvalidate},
      {.json_pointer = "/error", .json_regex = "(?i)run out of searches", .action = RuleAction::kExhaust},
      {.statuses = {429},
       .json_pointer = "/error",
       .json_regex = "(?i)hour",
       .action = RuleAction::kCool,
       .hold = minutes(10)},
  };
  return kRules;
}

}  // namespace

std::span<const std::string_view> preset_names() {
  static constexpr std::string_view kNames[] = {"openai", "anthropic", "gemini", "tavily", "serpapi"};
  return kNames;
}

std::span<const FailureRule> preset_failure_rules(std::string_view name) {
  if (name == "openai") return openai();
  if (name == "anthropic") return anthropic();
  if (name == "gemini") return gemini();
  if (name == "tavily") return tavily();
  if (name == "serpapi") return serpapi();
  return {};
}

}  // namespace akr
