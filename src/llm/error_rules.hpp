// error_rules.hpp - a dialect's knowledge as a table: which code, type, reason or phrase means what.
//
// llm-formats.md section 4.2 rule 5: body first, status second; code, then type, then reasons, then the text.
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "llm/error_detail.hpp"
#include "llm/error_facts.hpp"

namespace akr {

// The first rule of a list that fits decides.  Empty members fit everything.
struct ErrorRule {
  enum class Match {
    kWord,    // `text` equals code, type, status, error_code or one of the reasons
    kPhrase,  // `text` (lower case) is part of the message, letter case ignored
    kStatus,  // `text` is not used
  };
  int status = 0;  // 0 = any
  Match match = Match::kWord;
  std::string_view text = {};
  FailureKind kind = FailureKind::kUnknown;
  std::string_view code = {};    // what ErrorDetail::code becomes; "" = text
  std::chrono::seconds hold{0};  // retry_after if the answer gave none, as WaitSource::kDefault; 0 = leave it
};

// nullptr if none fits.
const ErrorRule* find_rule(std::span<const ErrorRule> rules, int status, const ErrorFacts& facts);

// The status that an error inside a 2xx answer stands for: error.code if it is one, else by type or status word, else
// 500.
int meant_status(const ErrorFacts& facts);

// Fills kind, code and (if there was no hint) retry_after from `rule`; no rule leaves kUnknown.
void apply_rule(const ErrorRule* rule, ErrorDetail& detail);

}  // namespace akr
