// failure_rules.hpp - what the operator of one service says about answers (behaviour.md D37); asked before classify().
//
// A rule fits when all of its conditions hold; the first rule that fits decides.  Regular expressions are RE2's: they
// run in time linear to the text, whatever the pattern and the text are - and linear to the pattern once compiled,
// where
// "[^b]*a.{0,400}c.{0,400}d" has 7,000 steps.  So both are bounded together: steps of all patterns that an answer of
// one status meets, times the bytes that they look at, are at most RuleLimits::work.
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
#include "core/outcome/verdict.hpp"

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

// FAILURE_RULES_WORK.  The default takes a core some 5 ms at most, whatever the patterns are (failure_rules_bench.cpp).
struct RuleLimits {
  std::size_t work = 512 * 1024;
  static constexpr std::size_t kLeastLookedAt = 256;  // bytes
  std::size_t most_steps() const { return work / kLeastLookedAt; }
};

// A rule of a stored list that is too large for RuleLimits.
struct SkippedRule {
  std::string field;  // "failure_rules[2].body_regex"
  std::string message;
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
  // compile or is too large (1,000 characters; with the rules before it more than limits.most_steps() for one status),
  // a pointer without '/', a status or a time out of range, no condition, more than 64 rules. With `skipped`, rules
  // that are only too large once compiled are left out and told there: for lists that were stored under other limits.
  static Result<FailureRules> compile(std::span<const FailureRule> rules, RuleLimits limits = {},
                                      std::vector<SkippedRule>* skipped = nullptr);

  // `body` may be cut off or not JSON.  Patterns look at the first bytes_looked_at(status) of it, or of the JSON value;
  // '$' is the end of the body all the same.  `retry_after` is the provider's hint.
  std::optional<RuleMatch> match(int status, std::string_view body, std::optional<Duration> retry_after) const;

  // 256 bytes to 64 KiB: the more, the smaller the patterns of the rules for this status are.
  std::size_t bytes_looked_at(int status) const;

  // Must bodies with this status be read to be judged?  False lets a good answer stream without a look.
  bool looks_at_body_of(int status) const;
  bool empty() const;

 private:
  struct Compiled;
  class Compiler;
  std::vector<Compiled> compiled_;
  RuleLimits limits_;
};

// Built-in lists by name: "openai", "anthropic", "gemini", "tavily", "serpapi".  For services of type GENERIC: an LLM
// service's own format knows more.  Empty for an unknown name.
std::span<const FailureRule> preset_failure_rules(std::string_view name);
std::span<const std::string_view> preset_names();

}  // namespace akr
