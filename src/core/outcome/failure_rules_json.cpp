#include "core/outcome/failure_rules_json.hpp"

#include <algorithm>
#include <iterator>

#include <boost/json.hpp>

#include "base/member_reader.hpp"

namespace akr {
namespace {

namespace json = boost::json;

template <class Value>
struct Word {
  std::string_view name;
  Value value;
};
constexpr Word<RuleAction> kActions[] = {{"ignore", RuleAction::kIgnore},
                                         {"retry", RuleAction::kRetry},
                                         {"cool", RuleAction::kCool},
                                         {"exhaust", RuleAction::kExhaust},
                                         {"invalidate", RuleAction::kInvalidate}};
constexpr Word<Scope> kScopes[] = {{"key", Scope::kKey},
                                   {"key_model", Scope::kKeyModel},
                                   {"group", Scope::kGroup},
                                   {"group_model", Scope::kGroupModel}};

template <class Value, std::size_t kSize>
std::string_view name_of(const Word<Value> (&words)[kSize], Value value) {
  const auto* found =
      std::find_if(std::begin(words), std::end(words), [&](const auto& word) { return word.value == value; });
  return found == std::end(words) ? "" : found->name;
}

template <class Value, std::size_t kSize>
std::vector<std::string_view> names_of(const Word<Value> (&words)[kSize]) {
  std::vector<std::string_view> names;
  for (const Word<Value>& word : words) names.push_back(word.name);
  return names;
}

constexpr std::int64_t kTooLong = 1'000'000'000;  // compile() refuses it; larger ones would overflow

void read_statuses(MemberReader& in, std::vector<int>& statuses) {
  const json::value* const given = in.any("status");
  if (given == nullptr) return;
  const auto add = [&](const json::value& one) {
    const bool fits = one.is_int64() && one.get_int64() >= 100 && one.get_int64() <= 599;
    if (!fits) return in.refuse("status", "must be a status from 100 to 599, or a list of them");
    statuses.push_back(static_cast<int>(one.get_int64()));
  };
  if (!given->is_array()) return add(*given);
  for (const json::value& one : given->get_array()) add(one);
}

template <class Value, std::size_t kSize>
void read_word(MemberReader& in, std::string_view name, const Word<Value> (&words)[kSize], Value& out) {
  const json::value* const given = in.any(name);
  if (given == nullptr) return;
  const std::string_view text = given->is_string() ? std::string_view(given->get_string()) : "";
  std::string known;
  for (const Word<Value>& word : words) {
    known += (known.empty() ? "" : ", ") + std::string(word.name);
    if (word.name != text) continue;
    out = word.value;
    return;
  }
  in.refuse(name, "must be one of " + known);
}

void read_hold(MemberReader& in, std::chrono::seconds& hold) {
  const json::value* const given = in.any("seconds");
  if (given == nullptr) return;
  if (!given->is_int64() || given->get_int64() < 0) return in.refuse("seconds", "must be a whole number, not negative");
  hold = std::chrono::seconds(std::min(given->get_int64(), kTooLong));
}

}  // namespace

Result<std::vector<FailureRule>> read_failure_rules(const json::value& value) {
  return read_json_list<FailureRule>(value, "failure_rules", [](MemberReader& in, FailureRule& rule) {
    in.required("action");
    read_statuses(in, rule.statuses);
    in.text("body_regex", rule.body_regex);
    in.text("json_pointer", rule.json_pointer);
    in.text("json_regex", rule.json_regex);
    read_word(in, "action", kActions, rule.action);
    read_word(in, "scope", kScopes, rule.scope);
    read_hold(in, rule.hold);
  });
}

std::vector<std::string_view> rule_action_names() { return names_of(kActions); }
std::vector<std::string_view> rule_scope_names() { return names_of(kScopes); }

json::array failure_rules_to_json(std::span<const FailureRule> rules) {
  json::array list;
  for (const FailureRule& rule : rules) {
    json::object out;
    if (!rule.statuses.empty()) out["status"] = json::value_from(rule.statuses);
    if (!rule.body_regex.empty()) out["body_regex"] = rule.body_regex;
    if (!rule.json_pointer.empty()) out["json_pointer"] = rule.json_pointer;
    if (!rule.json_regex.empty()) out["json_regex"] = rule.json_regex;
    out["action"] = name_of(kActions, rule.action);
    if (rule.action == RuleAction::kCool) out["scope"] = name_of(kScopes, rule.scope);
    if (rule.hold.count() > 0) out["seconds"] = rule.hold.count();
    list.push_back(std::move(out));
  }
  return list;
}

}  // namespace akr
