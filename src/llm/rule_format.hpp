// rule_format.hpp - the part of reading answers that is the same in every dialect: facts from the body, hint, rules.
#pragma once

#include <boost/json/object.hpp>

#include "llm/error_rules.hpp"
#include "llm/format.hpp"

namespace akr {

class RuleFormat : public Format {
 public:
  ErrorDetail parse_error(const ErrorAnswer& answer) const final;
  std::optional<ErrorDetail> error_in_success(const ErrorAnswer& answer) const final;
  std::optional<ErrorDetail> error_in_event(const SseEventView& event, WallTime now) const final;
  void read_usage(std::string_view json, TokenUsage& usage) const final;
  bool is_empty_answer(std::string_view json) const final;
  bool is_empty_event(const SseEventView& event) const final;

 private:
  // The dialect's table; the first rule that fits decides.
  virtual std::span<const ErrorRule> rules() const = 0;
  // What a table cannot say: dates, headers of its own.  Called after the rules.  `answer.status` is never 2xx.
  virtual void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) const = 0;
  // Of one object: an answer, or the data of an event.
  virtual void add_usage(const boost::json::object& answer, TokenUsage& usage) const = 0;
  virtual bool is_empty(const boost::json::object& answer) const = 0;

  ErrorDetail explain(const ErrorAnswer& answer, ErrorFacts facts) const;
};

// Google's QuotaFailure says which limit it was, on its own API and through its OpenAI-compatible endpoint alike.
void refine_google_quota(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail);

}  // namespace akr
