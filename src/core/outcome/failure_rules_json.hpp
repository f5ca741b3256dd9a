// failure_rules_json.hpp - FailureRules as JSON: what the store keeps and the admin API speaks.
//
//   rules  = [rule, ...]
//   rule   = {"status": 429 | [401, 403], "body_regex": "...", "json_pointer": "/error/code", "json_regex": "...",
//             "action": "ignore" | "retry" | "cool" | "exhaust" | "invalidate",
//             "scope": "key" | "key_model" | "group" | "group_model", "seconds": 60}
//
// Every member but "action" may be absent; "scope" and "seconds" as in FailureRule.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "base/result.hpp"
#include "core/outcome/failure_rules.hpp"

namespace akr {

// kInvalid with field "failure_rules[2].action" for the first member that is unknown or of a wrong type.  Whether the
// rules can be used is FailureRules::compile()'s business.
Result<std::vector<FailureRule>> read_failure_rules(const boost::json::value& value);

// The words that `action` and `scope` may be.
std::vector<std::string_view> rule_action_names();
std::vector<std::string_view> rule_scope_names();

boost::json::array failure_rules_to_json(std::span<const FailureRule> rules);

}  // namespace akr
