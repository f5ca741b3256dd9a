#include "core/service/fields.hpp"

#include <algorithm>
#include <concepts>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "core/service/describe_fields.hpp"
#include "core/service/field_bounds.hpp"

namespace akr {
namespace {

constexpr std::chrono::milliseconds kTotal{30'000};

KnownFormats known_formats() { return {.upstreams = {{"openai_compatible", "openai"}}, .clients = {"openai"}}; }
ValidationPolicy policy_with_formats() { return {.formats = known_formats()}; }

std::vector<FieldInfo> all_fields() {
  std::vector<FieldInfo> all = describe_service_fields(kTotal, known_formats());
  for (const FieldInfo& key : describe_key_fields()) all.push_back(key);
  return all;
}

Service valid_service(ServiceType type) {
  Service service = new_service(type, kTotal);
  service.name = service.slug = "s";
  service.target_url = "https://a.example";
  return service;
}

// Puts a number where the field is; false: it is none.
template <class Owner>
bool set_number(const Field<Owner>& field, Owner& object, std::int64_t number) {
  return std::visit(Overloaded{
                        [](bool& (*)(Owner&)) { return false; },
                        [&]<std::integral Number>(Number& (*at)(Owner&)) {
                          at(object) = static_cast<Number>(number);
                          return std::in_range<Number>(number);
                        },
                        [&](std::chrono::milliseconds& (*at)(Owner&)) {
                          at(object) = std::chrono::milliseconds(number);
                          return true;
                        },
                        [](const auto&) { return false; },
                    },
                    field.member);
}

TEST(Fields, EachStandsOnceAndIsExplainedInBothLanguages) {
  for (const auto& fields : {describe_service_fields(kTotal, known_formats()), describe_key_fields()}) {
    std::set<std::string_view> names;
    for (const FieldInfo& field : fields) EXPECT_TRUE(names.insert(field.name).second) << field.name;
  }
  for (const FieldInfo& field : all_fields()) {
    EXPECT_FALSE(field.meaning.en.empty()) << field.name;
    EXPECT_FALSE(field.meaning.zh.empty()) << field.name;
    EXPECT_EQ(field.meaning.en.find("\xe4"), std::string_view::npos) << field.name;
    EXPECT_EQ(field.initial.en.empty(), field.initial.zh.empty()) << field.name;
  }
}

TEST(Fields, ADefaultIsValidAndADefaultByTypeIsKeptAsNothing) {
  for (const ServiceType type : {ServiceType::kGeneric, ServiceType::kLlm}) {
    const auto valid = validate_service(valid_service(type), policy_with_formats());
    EXPECT_TRUE(valid) << valid.error().message;
  }
  EXPECT_TRUE(validate_key_fields({}));
  for (const FieldInfo& field : describe_service_fields(kTotal, known_formats())) {
    const auto listed = std::find_if(service_fields().begin(), service_fields().end(),
                                     [&](const auto& each) { return each.name == field.name; });
    // Else the column's default would be that of one of the types.
    if (field.generic != field.llm) EXPECT_TRUE(listed->follows_default || field.type == "string") << field.name;
  }
}

// validate_service() let pass what only the admin's JSON reader knew to be too much: invalid_after 0, an hour of
// wait_for_key_ms, a key's weight of four billion.  Kind: a gate with holes.
TEST(Fields, TheGateKnowsEveryBound) {
  int tried = 0;
  for (const Field<Service>& field : service_fields()) {
    for (const std::int64_t wrong : {field.bounds.least - 1, field.bounds.most + 1}) {
      Service service = valid_service(ServiceType::kGeneric);
      if (!set_number(field, service, wrong)) continue;
      const auto refused = validate_service(service, policy_with_formats());
      ASSERT_FALSE(refused) << field.name << " " << wrong;
      EXPECT_EQ(refused.error().field, field.name);
      EXPECT_EQ(refused.error().message, std::string(field.name) + " must be a whole number from " +
                                             std::to_string(field.bounds.least) + " to " +
                                             std::to_string(field.bounds.most) + ", not " + std::to_string(wrong));
      ++tried;
    }
  }
  EXPECT_GE(tried, 16);
}

TEST(Fields, TheGateKnowsEveryBoundOfAKey) {
  int tried = 0;
  for (const Field<UpstreamKey>& field : key_fields<UpstreamKey>()) {
    for (const std::int64_t wrong : {field.bounds.least - 1, field.bounds.most + 1}) {
      UpstreamKey key;
      if (!set_number(field, key, wrong)) continue;
      const auto refused = validate_key_fields(key);
      ASSERT_FALSE(refused) << field.name << " " << wrong;
      EXPECT_EQ(refused.error().field, place_of(field));
      ++tried;
    }
  }
  EXPECT_GE(tried, 6);
  UpstreamKey key{.note = std::string(1001, 'x')};
  EXPECT_EQ(validate_key_fields(key).error().message, "note has at most 1000 characters and no control characters");
  key = {.group = "a\nb"};
  EXPECT_EQ(validate_key_fields(key).error().field, "quota_group");
  EXPECT_EQ(validate_key(NewKey{.secret = Secret("sk-1"), .limits = {.monthly_reset_day = 29}}).error().field,
            "limits.monthly_reset_day");
}

TEST(Fields, TheGateKnowsPoliciesAndRules) {
  Service service = valid_service(ServiceType::kLlm);
  service.selection_policy = "magic";
  const auto policy = validate_service(service, policy_with_formats());
  EXPECT_EQ(policy.error().field, "selection_policy");
  EXPECT_NE(policy.error().message.find("round_robin, weighted"), std::string::npos);
  EXPECT_NE(policy.error().message.find("not 'magic'"), std::string::npos);
  service = valid_service(ServiceType::kLlm);
  service.failure_rules = {{.body_regex = "("}};
  EXPECT_EQ(validate_service(service, policy_with_formats()).error().field, "failure_rules[0].body_regex");
}

TEST(Fields, ATableRowSaysWhatTheListSays) {
  const std::string english =
      fields_markdown(describe_service_fields(kTellSetting, known_formats()), Language::kEnglish);
  for (const char* row :
       {"| `invalid_after` | integer | 2 | 1 to 10 | ", "| `slug` | string | required | 1 to 100 characters | ",
        "| `method` | string | required for GENERIC | ",
        "| `total_timeout_ms` | integer | LLM 0, GENERIC PROXY_TIMEOUT |",
        "| `retry_non_idempotent` | boolean | LLM `true`, GENERIC `false` | | ",
        "| `config_type` | string | required | `GENERIC`, `LLM` | ", "| `fallbacks` | array | `[]` | | "}) {
    EXPECT_NE(english.find(row), std::string::npos) << row;
  }
  const std::string chinese = fields_markdown(describe_key_fields(), Language::kChinese);
  EXPECT_NE(chinese.find("| `limits.monthly_reset_day` | integer | 1 | 1 到 28 | "), std::string::npos);
  EXPECT_NE(chinese.find("| `note` | string | `\"\"` | 最多 1000 个字符 | "), std::string::npos);
}

}  // namespace
}  // namespace akr
