#include "llm/rule_format.hpp"

#include <algorithm>
#include <chrono>

#include "llm/answer_json.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {

ErrorDetail RuleFormat::explain(const ErrorAnswer& answer, ErrorFacts facts) const {
  ErrorDetail detail{.status = answer.status, .retry_after = hint_of(answer, facts)};
  apply_rule(find_rule(rules(), answer.status, facts), detail);
  refine(answer, facts, detail);
  detail.message = std::move(facts.message);
  return detail;
}

ErrorDetail RuleFormat::parse_error(const ErrorAnswer& answer) const {
  return explain(answer, read_error_facts(answer.body));
}

std::optional<ErrorDetail> RuleFormat::error_in_success(const ErrorAnswer& answer) const {
  ErrorFacts facts = read_error_facts(answer.body);
  if (!facts.has_error) return std::nullopt;
  ErrorAnswer meant = answer;
  meant.status = meant_status(facts);
  return explain(meant, std::move(facts));
}

std::optional<ErrorDetail> RuleFormat::error_in_event(const SseEventView& event, WallTime now) const {
  ErrorFacts facts = read_error_facts(event.data);
  if (!facts.has_error && event.event != "error") return std::nullopt;
  const ErrorAnswer meant{.status = meant_status(facts), .body = event.data, .now = now};
  return explain(meant, std::move(facts));
}

void RuleFormat::read_usage(std::string_view json, TokenUsage& usage) const {
  for (const boost::json::object& answer : answer_objects(json)) add_usage(answer, usage);
}

bool RuleFormat::is_empty_answer(std::string_view json) const {
  const auto answers = answer_objects(json);
  return !answers.empty() &&
         std::all_of(answers.begin(), answers.end(), [this](const auto& answer) { return is_empty(answer); });
}

bool RuleFormat::is_empty_event(const SseEventView& event) const {
  return event.data == "[DONE]" || is_empty_answer(event.data);
}

void refine_google_quota(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) {
  if (answer.status != 429) return;
  const bool no_quota_at_all =
      facts.quota_zero || facts.says("limit: 0,") || facts.says("limit: 0\n") || facts.message.ends_with("limit: 0");
  if (no_quota_at_all) {
    detail.kind = ErrorKind::kModelUnavailable;
    detail.code = "quota_limit_0";
    detail.retry_after = std::chrono::hours(24);
  } else if (facts.quota_per_day) {
    // RetryInfo comes along and says a few seconds; only the next day brings a new quota.
    detail.kind = ErrorKind::kDailyQuota;
    detail.code = "quota_per_day";
    detail.retry_after = until_pacific_midnight(answer.now);
  } else if (facts.quota_per_minute) {
    detail.kind = ErrorKind::kRateLimit;
    detail.code = "quota_per_minute";
    if (!detail.retry_after) detail.retry_after = std::chrono::seconds(60);
  }
}

}  // namespace akr
