#include "core/service/affinity_rules_json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/member_reader.hpp"

namespace akr {
namespace {

// As the store keeps them.
std::string write_affinity_rules(std::span<const AffinityRule> rules) {
  return boost::json::serialize(affinity_rules_to_json(rules));
}

Result<std::vector<AffinityRule>> parse_affinity_rules(std::string_view text) {
  const auto value = parse_json_text(text, "affinity_rules");
  if (!value) return value.error();
  return read_affinity_rules(*value);
}

TEST(AffinityRulesJson, WhatWasWrittenIsReadBack) {
  const std::vector<AffinityRule> rules = {
      {.method = "POST", .path = "/jobs/*", .created = {"/id", "/a~1b/0"}, .used = {"/job_id"}},
      {.created = {"/名字"}}};
  EXPECT_EQ(parse_affinity_rules(write_affinity_rules(rules)).value(), rules);
  EXPECT_EQ(write_affinity_rules({&rules[0], 1}),
            R"([{"method":"POST","path":"/jobs/*","created":["/id","/a~1b/0"],"used":["/job_id"]}])");
}

TEST(AffinityRulesJson, MethodsAreUpperCaseAndAnyIsNone) {
  const auto rules =
      parse_affinity_rules(R"([{"method":"post","created":["/id"]},{"method":"Any","created":["/id"]}])").value();
  EXPECT_EQ(rules[0].method, "POST");
  EXPECT_EQ(rules[1].method, "");
}

TEST(AffinityRulesJson, NamesTheMemberThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "affinity_rules"},
      {"[", "affinity_rules"},
      {"[\"/id\"]", "affinity_rules[0]"},
      {R"([{"path":"/a"}])", "affinity_rules[0].created"},
      {R"([{"created":"/id"}])", "affinity_rules[0].created"},
      {R"([{"created":["/id"]},{"created":["/id",null]}])", "affinity_rules[1].created[1]"},
      {R"([{"created":["/id"],"used":{}}])", "affinity_rules[0].used"},
      {R"([{"created":["/id"],"method":1}])", "affinity_rules[0].method"},
      {R"([{"created":["/id"],"path":["/a"]}])", "affinity_rules[0].path"},
      {R"([{"created":["/id"],"ttl":1}])", "affinity_rules[0].ttl"},
  };
  for (const auto& [text, field] : cases) {
    const auto read = parse_affinity_rules(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().field, field) << text;
  }
}

}  // namespace
}  // namespace akr
