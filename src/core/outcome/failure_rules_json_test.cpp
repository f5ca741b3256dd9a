#include "core/outcome/failure_rules_json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/member_reader.hpp"

namespace akr {
namespace {

// As the store keeps them.
std::string write_failure_rules(std::span<const FailureRule> rules) {
  return boost::json::serialize(failure_rules_to_json(rules));
}

Result<std::vector<FailureRule>> parse_failure_rules(std::string_view text) {
  const auto value = parse_json_text(text, "failure_rules");
  if (!value) return value.error();
  return read_failure_rules(*value);
}

TEST(FailureRulesJson, WhatWasWrittenIsReadBack) {
  for (const std::string_view name : preset_names()) {
    const auto rules = preset_failure_rules(name);
    const std::string text = write_failure_rules(rules);
    const auto read = parse_failure_rules(text).value();
    ASSERT_EQ(read.size(), rules.size());
    EXPECT_EQ(write_failure_rules(read), text);
    EXPECT_TRUE(FailureRules::compile(read)) << name;
  }
}

TEST(FailureRulesJson, ReadsEveryMember) {
  const auto rules = parse_failure_rules(R"([{"status":429,"body_regex":"a","json_pointer":"/b","json_regex":"c",
    "action":"cool","scope":"group_model","seconds":7},{"status":[401,403],"action":"invalidate"}])")
                         .value();
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].statuses, std::vector<int>{429});
  EXPECT_EQ(rules[0].body_regex, "a");
  EXPECT_EQ(rules[0].json_pointer, "/b");
  EXPECT_EQ(rules[0].json_regex, "c");
  EXPECT_EQ(rules[0].action, RuleAction::kCool);
  EXPECT_EQ(rules[0].scope, Scope::kGroupModel);
  EXPECT_EQ(rules[0].hold, std::chrono::seconds(7));
  EXPECT_EQ(rules[1].statuses, (std::vector<int>{401, 403}));
  EXPECT_EQ(rules[1].action, RuleAction::kInvalidate);
}

TEST(FailureRulesJson, NamesTheMemberThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "failure_rules"},
      {"[", "failure_rules"},
      {"[7]", "failure_rules[0]"},
      {R"([{"status":429}])", "failure_rules[0].action"},
      {R"([{"action":"retry","status":99}])", "failure_rules[0].status"},
      {R"([{"action":"retry","status":[429,"x"]}])", "failure_rules[0].status"},
      {R"([{"action":"retry","status":1},{"action":1}])", "failure_rules[0].status"},
      {R"([{"action":"retry","status":429},{"action":"kill"}])", "failure_rules[1].action"},
      {R"([{"action":"cool","scope":"planet"}])", "failure_rules[0].scope"},
      {R"([{"action":"cool","seconds":-1}])", "failure_rules[0].seconds"},
      {R"([{"action":"cool","seconds":1.5}])", "failure_rules[0].seconds"},
      {R"([{"action":"cool","body_regex":null}])", "failure_rules[0].body_regex"},
      {R"([{"action":"cool","colour":1}])", "failure_rules[0].colour"},
  };
  for (const auto& [text, field] : cases) {
    const auto read = parse_failure_rules(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().field, field) << text;
  }
}

}  // namespace
}  // namespace akr
