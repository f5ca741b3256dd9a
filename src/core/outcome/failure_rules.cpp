#include "core/outcome/failure_rules.hpp"

#include <algorithm>
#include <array>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serializer.hpp>
#include <re2/re2.h>

namespace akr {

struct FailureRules::Compiled {
  FailureRule rule;
  std::size_t index = 0;                 // in the list as configured
  std::size_t steps = 0;                 // of its patterns
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

// What a search costs beside its steps; measured.
constexpr std::size_t kStepsOfAnyPattern = 64;
// Of RE2's automaton, which is thrown away and begun anew when it is full: building a larger one costs more than it
// saves.
constexpr std::int64_t kPatternMemory = 128 * 1024;

using Pattern = std::unique_ptr<const re2::RE2>;

Result<Pattern> compile_pattern(const std::string& field, const std::string& pattern) {
  if (pattern.empty()) return Pattern();
  if (pattern.size() > kPatternLimit) return invalid(field, "a pattern has at most 1000 characters");
  re2::RE2::Options options;
  options.set_max_mem(kPatternMemory);
  options.set_log_errors(false);
  auto compiled = std::make_unique<const re2::RE2>(pattern, options);
  if (!compiled->ok() && compiled->error_code() != re2::RE2::ErrorPatternTooLarge) {
    return invalid(field, "the pattern does not compile: " + compiled->error());
  }
  return compiled;
}

// npos: too many to be counted.
std::size_t steps_of(const re2::RE2* pattern) {
  if (pattern == nullptr) return 0;
  if (!pattern->ok()) return std::string::npos;
  return static_cast<std::size_t>(std::max(pattern->ProgramSize(), pattern->ReverseProgramSize())) + kStepsOfAnyPattern;
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

  // The value at `pointer`; nullptr if absent or null.
  const boost::json::value* find(std::string_view pointer) {
    parse_once();
    boost::json::error_code failure;
    const auto* value = parsed_ ? document_.find_pointer({pointer.data(), pointer.size()}, failure) : nullptr;
    return value == nullptr || value->is_null() ? nullptr : value;
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

// In the first `most` bytes; what stands behind them is known to be there, so '$' does not fit before it.
bool found_in(const re2::RE2& pattern, std::string_view text, std::size_t most) {
  return pattern.Match(re2::StringPiece(text.data(), text.size()), 0, std::min(most, text.size()), re2::RE2::UNANCHORED,
                       nullptr, 0);
}

// Strings as they are, others as JSON, of which no more is written than is looked at.
bool found_in_value(const re2::RE2& pattern, const boost::json::value& value, std::size_t most) {
  if (const auto* text = value.if_string()) return found_in(pattern, {text->data(), text->size()}, most);
  boost::json::serializer serializer;
  serializer.reset(&value);
  std::string text(most + 1, '\0');
  std::size_t filled = 0;
  while (!serializer.done() && filled < text.size())
    filled += serializer.read(&text[filled], text.size() - filled).size();
  return found_in(pattern, std::string_view(text).substr(0, filled), most);
}

void hold(Verdict& verdict, const FailureRule& rule, std::optional<Duration> retry_after) {
  if (rule.hold.count() > 0) {
    verdict.cool_for = rule.hold;
    verdict.wait_from = WaitSource::kOperator;
  } else if (retry_after) {
    verdict.cool_for = std::clamp<Duration>(*retry_after, std::chrono::seconds(1), kLongestHold);
  }
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
      hold(verdict, rule, retry_after);
      verdict.reason = "rule_cool";
      break;
    case RuleAction::kExhaust:
      verdict.key = KeyAction::kExhaust;
      hold(verdict, rule, retry_after);
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

// Compiles one rule after the other and counts the steps that an answer of each status meets.
class FailureRules::Compiler {
 public:
  Compiler(RuleLimits limits, std::vector<SkippedRule>* skipped) : limits_(limits), skipped_(skipped) {}

  // nullopt: it is too large and was skipped.
  Result<std::optional<Compiled>> compile(std::size_t index, const FailureRule& rule) {
    const std::string place = "failure_rules[" + std::to_string(index) + "]";
    if (auto checked = check_rule(place, rule); !checked) return checked.error();
    Compiled made{.rule = rule, .index = index};
    const struct {
      std::string field;
      const std::string& text;
      Pattern& pattern;
    } parts[] = {{place + ".body_regex", rule.body_regex, made.body},
                 {place + ".json_regex", rule.json_regex, made.json}};
    for (const auto& [field, text, pattern] : parts) {
      auto compiled = compile_pattern(field, text);
      if (!compiled) return compiled.error();
      pattern = *std::move(compiled);
      const std::size_t steps = steps_of(pattern.get());
      if (const auto problem = too_many(rule, made.steps, steps)) {
        if (skipped_ == nullptr) return invalid(field, *problem);
        skipped_->push_back({field, *problem});
        return std::optional<Compiled>();
      }
      made.steps += steps;
    }
    for_each_status(rule, [&](std::size_t status) { steps_[status] += made.steps; });
    return std::optional<Compiled>(std::move(made));
  }

 private:
  template <class Visit>
  static void for_each_status(const FailureRule& rule, Visit visit) {
    for (std::size_t status = 100; status < kStatuses; ++status) {
      if (has_status(rule, static_cast<int>(status))) visit(status);
    }
  }

  // `own`: of the rule's other pattern.
  std::optional<std::string> too_many(const FailureRule& rule, std::size_t own, std::size_t steps) const {
    std::size_t before = 0;
    std::size_t at = 0;
    for_each_status(rule, [&](std::size_t status) {
      if (steps_[status] <= before && at != 0) return;
      before = steps_[status];
      at = status;
    });
    const std::size_t most = limits_.most_steps();
    if (steps != std::string::npos && before + own + steps <= most) return std::nullopt;
    const std::string size =
        steps == std::string::npos ? "too many steps to be counted" : std::to_string(steps) + " steps";
    return "the pattern has " + size + " once compiled, beside " + std::to_string(before + own) +
           " of the other patterns for status " + std::to_string(at) + "; " + std::to_string(most) +
           " are allowed together: use fewer or shorter patterns, smaller repetitions than {0,400}, give the rules "
           "their "
           "statuses, or raise FAILURE_RULES_WORK";
  }

  static constexpr std::size_t kStatuses = 600;
  const RuleLimits limits_;
  std::vector<SkippedRule>* const skipped_;
  std::array<std::size_t, kStatuses> steps_{};
};

Result<FailureRules> FailureRules::compile(std::span<const FailureRule> rules, RuleLimits limits,
                                           std::vector<SkippedRule>* skipped) {
  if (rules.size() > kRuleLimit) return invalid("failure_rules", "at most 64 rules");
  FailureRules out;
  out.limits_ = limits;
  Compiler compiler(limits, skipped);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    auto compiled = compiler.compile(i, rules[i]);
    if (!compiled) return compiled.error();
    if (*compiled) out.compiled_.push_back(**std::move(compiled));
  }
  return out;
}

std::size_t FailureRules::bytes_looked_at(int status) const {
  std::size_t steps = 1;
  for (const Compiled& each : compiled_) steps += has_status(each.rule, status) ? each.steps : 0;
  return std::clamp(limits_.work / steps, RuleLimits::kLeastLookedAt, kBodyLimit);
}

std::optional<RuleMatch> FailureRules::match(int status, std::string_view body,
                                             std::optional<Duration> retry_after) const {
  const std::size_t most = bytes_looked_at(status);
  LazyJson json(body.substr(0, kBodyLimit));
  for (const Compiled& each : compiled_) {
    const FailureRule& rule = each.rule;
    if (!has_status(rule, status) || (each.body && !found_in(*each.body, body, most))) continue;
    if (!rule.json_pointer.empty()) {
      const boost::json::value* const value = json.find(rule.json_pointer);
      if (value == nullptr || (each.json && !found_in_value(*each.json, *value, most))) continue;
    }
    return RuleMatch{.verdict = verdict_of(rule, status, retry_after), .index = each.index};
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
