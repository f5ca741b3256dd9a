// failure_rules.hpp - what the operator of one service says about answers (behaviour.md D37); asked before classify().
//
// A rule fits when all of its conditions hold; the first rule that fits decides.  Regular expressions are RE2's: they
// run in time linear to the text, whatever the pattern and the text are.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/verdict.hpp"

namespace akr {

enum class RuleAction { kIgnore, kRetry, kCool, kExhaust, kInvalidate };

// As configured.  At least one condition.
struct FailureRule {
  std::vector<int> statuses = {};  // 100..599; empty = any, 2xx too
  std::string body_regex = {};     // found anywhere in the body; "" = any body
  std::string json_pointer = {};   // RFC 6901, "/error/code": must exist in the body; "" = not looked at
  std::string json_regex = {};     // found in the text of that value; "" = any value but null
  RuleAction action = RuleAction::kIgnore;
  Scope scope = Scope::kKey;     // kCool only
  std::chrono::seconds hold{0};  // kCool, kExhaust: 0 = the provider's hint, else KeyPool's own; up to 31 days
};

// A rule that fitted, for the trace.
struct RuleMatch {
  Verdict verdict;
  std::size_t index = 0;  // in the list that was compiled
};

// Immutable once compiled; any thread.
class FailureRules {
 public:
  FailureRules();  // no rules
  FailureRules(FailureRules&&) noexcept;
  FailureRules& operator=(FailureRules&&) noexcept;
  ~FailureRules();

  // kInvalid with field "failure_rules[2].body_regex" for the first rule that cannot be used: a pattern that does not
  // compile or is too large (1,000 characters, 1 MiB compiled), a pointer without '/', a status or a time out of range,
  // no condition, more than 64 rules.
  static Result<FailureRules> compile(std::span<const FailureRule> rules);

  // `body` may be cut off or not JSON; the first 64 KiB are looked at.  `retry_after` is the provider's hint.
  std::optional<RuleMatch> match(int status, std::string_view body, std::optional<Duration> retry_after) const;

  // Must bodies with this status be read to be judged?  False lets a good answer stream without a look.
  bool looks_at_body_of(int status) const;
  bool empty() const;

 private:
  struct Compiled;
  std::vector<Compiled> compiled_;
};

// Built-in lists by name: "openai", "anthropic", "gemini", "tavily", "serpapi".  For services of type GENERIC: an LLM
// service's own format knows more.  Empty for an unknown name.
std::span<const FailureRule> preset_failure_rules(std::string_view name);
std::span<const std::string_view> preset_names();

}  // namespace akr
