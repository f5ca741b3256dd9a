// rule_format.hpp - the part of reading errors that is the same in every dialect: facts from the body, hint, rules.
#pragma once

#include "llm/error_rules.hpp"
#include "llm/format.hpp"

namespace akr {

class RuleFormat : public Format {
 public:
  ErrorDetail parse_error(const ErrorAnswer& answer) const final;
  std::optional<ErrorDetail> error_in_success(const ErrorAnswer& answer) const final;
  std::optional<ErrorDetail> error_in_event(const SseEventView& event, WallTime now) const final;

 private:
  // The dialect's table; the first rule that fits decides.
  virtual std::span<const ErrorRule> rules() const = 0;
  // What a table cannot say: dates, headers of its own.  Called after the rules.  `answer.status` is never 2xx.
  virtual void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) const = 0;

  ErrorDetail explain(const ErrorAnswer& answer, ErrorFacts facts) const;
};

// Google's QuotaFailure says which limit it was, on its own API and through its OpenAI-compatible endpoint alike.
void refine_google_quota(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail);

}  // namespace akr
