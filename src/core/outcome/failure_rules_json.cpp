#include "core/outcome/failure_rules_json.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include <boost/json.hpp>

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

// Reads the members of one rule; keeps the first thing that is wrong.
class RuleReader {
 public:
  RuleReader(const json::object& object, std::size_t index)
      : object_(object), place_("failure_rules[" + std::to_string(index) + "]") {}

  Result<FailureRule> read() {
    FailureRule rule;
    if (object_.if_contains("action") == nullptr) refuse("action", "is required");
    for (const auto& [name, value] : object_) read_member(name, value, rule);
    if (error_) return *std::move(error_);
    return rule;
  }

 private:
  void read_member(std::string_view name, const json::value& value, FailureRule& rule) {
    if (name == "status") return read_statuses(value, rule.statuses);
    if (name == "body_regex") return read_text(name, value, rule.body_regex);
    if (name == "json_pointer") return read_text(name, value, rule.json_pointer);
    if (name == "json_regex") return read_text(name, value, rule.json_regex);
    if (name == "action") return read_word(name, value, kActions, rule.action);
    if (name == "scope") return read_word(name, value, kScopes, rule.scope);
    if (name != "seconds") return refuse(name, "is not a member of a rule");
    if (!value.is_int64() || value.get_int64() < 0) return refuse(name, "must be a whole number, not negative");
    rule.hold = std::chrono::seconds(std::min<std::int64_t>(value.get_int64(), kTooLong));
  }

  void read_statuses(const json::value& value, std::vector<int>& statuses) {
    const auto add = [&](const json::value& one) {
      const bool fits = one.is_int64() && one.get_int64() >= 100 && one.get_int64() <= 599;
      if (!fits) return refuse("status", "must be a status from 100 to 599, or a list of them");
      statuses.push_back(static_cast<int>(one.get_int64()));
    };
    if (!value.is_array()) return add(value);
    for (const json::value& one : value.get_array()) add(one);
  }

  void read_text(std::string_view name, const json::value& value, std::string& text) {
    if (!value.is_string()) return refuse(name, "must be a string");
    text = value.get_string();
  }

  template <class Value, std::size_t kSize>
  void read_word(std::string_view name, const json::value& value, const Word<Value> (&words)[kSize], Value& out) {
    const std::string_view text = value.is_string() ? std::string_view(value.get_string()) : "";
    std::string known;
    for (const Word<Value>& word : words) {
      known += (known.empty() ? "" : ", ") + std::string(word.name);
      if (word.name != text) continue;
      out = word.value;
      return;
    }
    refuse(name, "must be one of " + known);
  }

  void refuse(std::string_view member, std::string_view what) {
    if (error_) return;
    const std::string field = place_ + "." + std::string(member);
    error_ = Error{.code = ErrorCode::kInvalid, .message = field + " " + std::string(what), .field = field};
  }

  static constexpr std::int64_t kTooLong = 1'000'000'000;  // compile() refuses it; larger ones would overflow

  const json::object& object_;
  std::string place_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::vector<FailureRule>> read_failure_rules(const json::value& value) {
  const auto wrong = [](std::string field, const char* what) {
    return Error{.code = ErrorCode::kInvalid, .message = field + what, .field = field};
  };
  if (!value.is_array()) return wrong("failure_rules", " must be an array of rules");
  std::vector<FailureRule> rules;
  for (std::size_t i = 0; i < value.get_array().size(); ++i) {
    const json::value& each = value.get_array()[i];
    if (!each.is_object()) return wrong("failure_rules[" + std::to_string(i) + "]", " must be an object");
    auto rule = RuleReader(each.get_object(), i).read();
    if (!rule) return rule.error();
    rules.push_back(*std::move(rule));
  }
  return rules;
}

Result<std::vector<FailureRule>> parse_failure_rules(std::string_view text) {
  boost::system::error_code failure;
  const json::value value = json::parse(text, failure);
  if (failure) return Error{.code = ErrorCode::kInvalid, .message = "not JSON", .field = "failure_rules"};
  return read_failure_rules(value);
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

std::string write_failure_rules(std::span<const FailureRule> rules) {
  return json::serialize(failure_rules_to_json(rules));
}

}  // namespace akr
