#include "core/failure_rules.hpp"

#include <algorithm>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <re2/re2.h>

namespace akr {

struct FailureRules::Compiled {
  FailureRule rule;
  std::unique_ptr<const re2::RE2> body;  // null = not looked at
  std::unique_ptr<const re2::RE2> json;
};

namespace {

constexpr std::size_t kBodyLimit = 65'536;
constexpr std::size_t kPatternLimit = 1000;
constexpr std::size_t kRuleLimit = 64;
constexpr std::chrono::hours kLongestHold(31 * 24);

Error invalid(std::string field, std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = std::move(field)};
}

Result<std::unique_ptr<const re2::RE2>> compile_pattern(const std::string& field, const std::string& pattern) {
  if (pattern.empty()) return std::unique_ptr<const re2::RE2>();
  if (pattern.size() > kPatternLimit) return invalid(field, "a pattern has at most 1000 characters");
  re2::RE2::Options options;
  options.set_max_mem(1 << 20);
  options.set_log_errors(false);
  auto compiled = std::make_unique<const re2::RE2>(pattern, options);
  if (!compiled->ok()) return invalid(field, "the pattern does not compile: " + compiled->error());
  return compiled;
}

Result<void> check_rule(const std::string& field, const FailureRule& rule) {
  if (rule.statuses.empty() && rule.body_regex.empty() && rule.json_pointer.empty()) {
    return invalid(field, "a rule needs a status, a body_regex or a json_pointer");
  }
  for (int status : rule.statuses) {
    if (status < 100 || status > 599) return invalid(field + ".statuses", "a status is a number from 100 to 599");
  }
  const auto& pointer = rule.json_pointer;
  if (!pointer.empty() && (pointer.front() != '/' || pointer.size() > kPatternLimit)) {
    return invalid(field + ".json_pointer", "a JSON pointer begins with '/', like /error/code");
  }
  if (pointer.empty() && !rule.json_regex.empty()) {
    return invalid(field + ".json_regex", "needs a json_pointer that names the value");
  }
  if (rule.hold < std::chrono::seconds(0) || rule.hold > kLongestHold) {
    return invalid(field + ".seconds", "must be from 0 to 2678400 seconds (31 days)");
  }
  return {};
}

// The body as JSON, parsed when the first rule asks for it.
class LazyJson {
 public:
  explicit LazyJson(std::string_view body) : body_(body) {}

  // Text of the value at `pointer`: strings as they are, others as JSON.  nullopt if absent or null.
  std::optional<std::string> text_at(std::string_view pointer) {
    parse_once();
    boost::json::error_code failure;
    const auto* value = parsed_ ? document_.find_pointer({pointer.data(), pointer.size()}, failure) : nullptr;
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (const auto* text = value->if_string()) return std::string(text->begin(), text->end());
    return boost::json::serialize(*value);
  }

 private:
  void parse_once() {
    if (tried_) return;
    tried_ = true;
    boost::json::parse_options options;
    options.max_depth = 32;
    options.allow_invalid_utf8 = true;
    boost::json::error_code failure;
    document_ = boost::json::parse({body_.data(), body_.size()}, failure, &memory_, options);
    parsed_ = !failure;
  }

  std::string_view body_;
  unsigned char buffer_[8192];
  boost::json::monotonic_resource memory_{buffer_, sizeof buffer_};
  boost::json::value document_ = boost::json::value(boost::json::storage_ptr(&memory_));
  bool tried_ = false;
  bool parsed_ = false;
};

bool has_status(const FailureRule& rule, int status) {
  return rule.statuses.empty() || std::find(rule.statuses.begin(), rule.statuses.end(), status) != rule.statuses.end();
}

bool found_in(const re2::RE2* pattern, std::string_view text) {
  return pattern == nullptr || re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern);
}

std::optional<Duration> hold_of(const FailureRule& rule, std::optional<Duration> retry_after) {
  if (rule.hold.count() > 0) return rule.hold;
  if (!retry_after) return std::nullopt;
  return std::clamp<Duration>(*retry_after, std::chrono::seconds(1), kLongestHold);
}

Verdict verdict_of(const FailureRule& rule, int status, std::optional<Duration> retry_after) {
  Verdict verdict{.retry = RetryAdvice::kNextKey,
                  .endpoint = status >= 500 ? EndpointEffect::kFail : EndpointEffect::kOk};
  switch (rule.action) {
    case RuleAction::kIgnore:
      verdict.retry = RetryAdvice::kReturn;
      verdict.endpoint = EndpointEffect::kNone;
      verdict.reason = "rule_ignore";
      break;
    case RuleAction::kRetry:
      verdict.reason = "rule_retry";
      break;
    case RuleAction::kCool:
      verdict.key = KeyAction::kCool;
      verdict.scope = rule.scope;
      verdict.cool_for = hold_of(rule, retry_after);
      verdict.reason = "rule_cool";
      break;
    case RuleAction::kExhaust:
      verdict.key = KeyAction::kExhaust;
      verdict.cool_for = hold_of(rule, retry_after);
      verdict.reason = "rule_exhaust";
      break;
    case RuleAction::kInvalidate:
      verdict.key = KeyAction::kInvalidate;
      verdict.reason = "rule_invalidate";
      break;
  }
  return verdict;
}

}  // namespace

FailureRules::FailureRules() = default;
FailureRules::FailureRules(FailureRules&&) noexcept = default;
FailureRules& FailureRules::operator=(FailureRules&&) noexcept = default;
FailureRules::~FailureRules() = default;

Result<FailureRules> FailureRules::compile(std::span<const FailureRule> rules) {
  if (rules.size() > kRuleLimit) return invalid("failure_rules", "at most 64 rules");
  FailureRules out;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::string field = "failure_rules[" + std::to_string(i) + "]";
    if (auto checked = check_rule(field, rules[i]); !checked) return checked.error();
    auto body = compile_pattern(field + ".body_regex", rules[i].body_regex);
    if (!body) return body.error();
    auto json = compile_pattern(field + ".json_regex", rules[i].json_regex);
    if (!json) return json.error();
    out.compiled_.push_back({rules[i], *std::move(body), *std::move(json)});
  }
  return out;
}

std::optional<RuleMatch> FailureRules::match(int status, std::string_view body,
                                             std::optional<Duration> retry_after) const {
  body = body.substr(0, kBodyLimit);
  LazyJson json(body);
  for (std::size_t i = 0; i < compiled_.size(); ++i) {
    const auto& [rule, body_pattern, json_pattern] = compiled_[i];
    if (!has_status(rule, status) || !found_in(body_pattern.get(), body)) continue;
    if (!rule.json_pointer.empty()) {
      const auto text = json.text_at(rule.json_pointer);
      if (!text || !found_in(json_pattern.get(), *text)) continue;
    }
    return RuleMatch{.verdict = verdict_of(rule, status, retry_after), .index = i};
  }
  return std::nullopt;
}

bool FailureRules::looks_at_body_of(int status) const {
  return std::any_of(compiled_.begin(), compiled_.end(), [&](const Compiled& compiled) {
    return has_status(compiled.rule, status) && (compiled.body || !compiled.rule.json_pointer.empty());
  });
}

bool FailureRules::empty() const { return compiled_.empty(); }

}  // namespace akr
