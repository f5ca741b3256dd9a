#include "core/outcome/failure_rules.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

FailureRules compiled(std::vector<FailureRule> rules) {
  auto result = FailureRules::compile(rules);
  EXPECT_TRUE(result) << (result ? "" : result.error().field + ": " + result.error().message);
  return result ? *std::move(result) : FailureRules();
}

std::string refused_field(FailureRule rule) {
  const auto result = FailureRules::compile(std::span(&rule, 1));
  return result ? "" : result.error().field;
}

TEST(FailureRules, AllConditionsMustHold) {
  const auto rules = compiled({{.statuses = {400, 409},
                                .body_regex = "credit",
                                .json_pointer = "/error/code",
                                .json_regex = "^low$",
                                .action = RuleAction::kExhaust}});
  const std::string fits = R"({"error":{"code":"low","message":"no credit"}})";
  EXPECT_TRUE(rules.match(400, fits, {}));
  EXPECT_TRUE(rules.match(409, fits, {}));
  EXPECT_FALSE(rules.match(401, fits, {}));
  EXPECT_FALSE(rules.match(400, R"({"error":{"code":"low","message":"no money"}})", {}));
  EXPECT_FALSE(rules.match(400, R"({"error":{"code":"lower","message":"credit"}})", {}));
  EXPECT_FALSE(rules.match(400, "credit low", {}));
}

TEST(FailureRules, TheFirstThatFitsDecides) {
  const auto rules = compiled({{.statuses = {403}, .body_regex = "soft", .action = RuleAction::kIgnore},
                               {.statuses = {403}, .action = RuleAction::kInvalidate}});
  EXPECT_EQ(rules.match(403, "soft", {})->index, 0U);
  EXPECT_EQ(rules.match(403, "hard", {})->index, 1U);
}

TEST(FailureRules, ActionsBecomeVerdicts) {
  const auto verdict = [](FailureRule rule, std::optional<Duration> hint = std::nullopt) {
    rule.statuses = {418};
    return compiled({rule}).match(418, "", hint)->verdict;
  };
  const auto ignored = verdict({.action = RuleAction::kIgnore});
  EXPECT_EQ(ignored.key, KeyAction::kNone);
  EXPECT_EQ(ignored.retry, RetryAdvice::kReturn);
  EXPECT_EQ(verdict({.action = RuleAction::kRetry}).retry, RetryAdvice::kNextKey);
  EXPECT_EQ(verdict({.action = RuleAction::kRetry}).key, KeyAction::kNone);
  const auto cool = verdict({.action = RuleAction::kCool, .scope = Scope::kGroup, .hold = seconds(90)}, seconds(5));
  EXPECT_EQ(cool.key, KeyAction::kCool);
  EXPECT_EQ(cool.scope, Scope::kGroup);
  EXPECT_EQ(cool.cool_for, seconds(90));
  EXPECT_EQ(verdict({.action = RuleAction::kCool}, seconds(5)).cool_for, seconds(5));
  EXPECT_EQ(verdict({.action = RuleAction::kCool}).cool_for, std::nullopt);
  EXPECT_EQ(verdict({.action = RuleAction::kExhaust, .hold = hours(2)}).cool_for, hours(2));
  EXPECT_EQ(verdict({.action = RuleAction::kExhaust, .hold = hours(2)}).wait_from, WaitSource::kOperator);
  EXPECT_EQ(verdict({.action = RuleAction::kCool}, seconds(5)).wait_from, WaitSource::kProvider);
  EXPECT_EQ(verdict({.action = RuleAction::kInvalidate}).key, KeyAction::kInvalidate);
}

TEST(FailureRules, PointersReadAnyKindOfValue) {
  const auto fits = [](std::string pointer, std::string regex, std::string_view body) {
    return compiled({{.json_pointer = std::move(pointer), .json_regex = std::move(regex)}})
        .match(200, body, {})
        .has_value();
  };
  EXPECT_TRUE(fits("/code", "^42$", R"({"code":42})"));
  EXPECT_TRUE(fits("/ok", "false", R"({"ok":false})"));
  EXPECT_TRUE(fits("/errors/0/type", "x", R"({"errors":[{"type":"xyz"}]})"));
  EXPECT_TRUE(fits("/a~1b", "", R"({"a/b":""})"));
  EXPECT_FALSE(fits("/error", "", R"({"error":null})"));
  EXPECT_FALSE(fits("/error", "", R"({"x":1})"));
  EXPECT_FALSE(fits("/error", "", "not json"));
  EXPECT_FALSE(fits("/error", "", R"({"error":1)"));
}

TEST(FailureRules, SaysWhetherABodyIsNeeded) {
  const auto rules = compiled({{.statuses = {432}, .action = RuleAction::kExhaust},
                               {.statuses = {400}, .body_regex = "x", .action = RuleAction::kRetry}});
  EXPECT_TRUE(rules.looks_at_body_of(400));
  EXPECT_FALSE(rules.looks_at_body_of(432));
  EXPECT_FALSE(rules.looks_at_body_of(200));
  EXPECT_TRUE(compiled({{.body_regex = "x"}}).looks_at_body_of(200));
  EXPECT_TRUE(FailureRules().empty());
  EXPECT_FALSE(FailureRules().match(500, "", {}));
}

TEST(FailureRules, RefusesBadRulesByField) {
  EXPECT_EQ(refused_field({}), "failure_rules[0]");
  EXPECT_EQ(refused_field({.statuses = {99}}), "failure_rules[0].statuses");
  EXPECT_EQ(refused_field({.statuses = {600}}), "failure_rules[0].statuses");
  EXPECT_EQ(refused_field({.body_regex = "("}), "failure_rules[0].body_regex");
  EXPECT_EQ(refused_field({.body_regex = "(?=x)"}), "failure_rules[0].body_regex");  // RE2 has no look-ahead
  EXPECT_EQ(refused_field({.body_regex = "((a{100}){100}){100}"}), "failure_rules[0].body_regex");
  EXPECT_EQ(refused_field({.body_regex = std::string(1001, 'a')}), "failure_rules[0].body_regex");
  EXPECT_EQ(refused_field({.json_pointer = "error"}), "failure_rules[0].json_pointer");
  EXPECT_EQ(refused_field({.statuses = {400}, .json_regex = "x"}), "failure_rules[0].json_regex");
  EXPECT_EQ(refused_field({.json_pointer = "/e", .json_regex = "["}), "failure_rules[0].json_regex");
  EXPECT_EQ(refused_field({.statuses = {400}, .hold = seconds(-1)}), "failure_rules[0].seconds");
  EXPECT_EQ(refused_field({.statuses = {400}, .hold = hours(24 * 32)}), "failure_rules[0].seconds");
  const std::vector<FailureRule> many(65, FailureRule{.statuses = {400}});
  EXPECT_FALSE(FailureRules::compile(many));
}

TEST(FailureRules, NamesThePlaceInTheList) {
  const std::vector<FailureRule> rules = {{.statuses = {400}}, {.statuses = {401}}, {.body_regex = "*"}};
  const auto result = FailureRules::compile(rules);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(result.error().field, "failure_rules[2].body_regex");
}

TEST(FailureRules, PatternsRunInLinearTime) {
  const auto rules = compiled({{.body_regex = "(a+)+$", .action = RuleAction::kRetry}});
  EXPECT_FALSE(rules.match(400, std::string(60'000, 'a') + "b", {}));  // minutes for a backtracking engine
}

// "[^b]*a.{0,400}c.{0,400}d" held a worker for 0.5 s on 58 KiB, and 64 such rules for 35 s: time is linear to the text
// and to the compiled pattern.  Stands for work that an operator's text makes large without saying so.
TEST(FailureRules, AHugePatternIsRefusedWithItsSizeAndTheLimit) {
  const std::vector<FailureRule> rules = {{.statuses = {400}, .body_regex = "fine"},
                                          {.statuses = {400}, .body_regex = "[^b]*a.{0,400}c.{0,400}d"}};
  const auto result = FailureRules::compile(rules);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().field, "failure_rules[1].body_regex");
  for (const char* part : {"steps", "2048", "status 400", "FAILURE_RULES_WORK"}) {
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
  }
  EXPECT_TRUE(FailureRules::compile(rules, {.work = 8 << 20}));
}

TEST(FailureRules, AllRulesThatAnAnswerMeetsCountTogether) {
  const auto list = [](int count, bool one_status) {
    std::vector<FailureRule> rules;
    for (int i = 0; i < count; ++i) {
      rules.push_back({.statuses = {one_status ? 429 : 400 + i}, .body_regex = "a[a-c]{60}d"});
    }
    return FailureRules::compile(rules);
  };
  EXPECT_TRUE(list(15, true));
  const auto refused = list(64, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "failure_rules[15].body_regex");
  EXPECT_TRUE(list(64, false));  // an answer meets one of them
}

TEST(FailureRules, BytesLookedAtFollowTheSizeOfThePatterns) {
  EXPECT_EQ(compiled({{.statuses = {429}}}).bytes_looked_at(429), 65'536U);
  const auto rules =
      compiled({{.statuses = {429}, .body_regex = "a[a-c]{60}d"}, {.statuses = {402}, .body_regex = "x"}});
  const std::size_t bytes = rules.bytes_looked_at(429);
  EXPECT_GT(bytes, 3000U);
  EXPECT_LT(bytes, 8000U);
  EXPECT_GT(rules.bytes_looked_at(402), bytes);
  const auto ends = compiled({{.body_regex = "needle$"}});
  const std::size_t seen = ends.bytes_looked_at(400);
  EXPECT_TRUE(ends.match(400, std::string(seen - 6, ' ') + "needle", {}));
  EXPECT_FALSE(ends.match(400, std::string(seen - 6, ' ') + "needle and more", {})) << "no end where we stop to look";
  EXPECT_FALSE(ends.match(400, std::string(seen, ' ') + "needle", {}));
  const auto deep = compiled({{.json_pointer = "/a", .json_regex = "needle"}});
  EXPECT_TRUE(deep.match(400, R"({"a":["needle"]})", {}));
  EXPECT_FALSE(deep.match(400, R"({"a":[")" + std::string(deep.bytes_looked_at(400), ' ') + R"(","needle"]})", {}));
}

// What was stored before there was a limit: the rules that fit into it stay in force, with their places.
TEST(FailureRules, StoredRulesThatAreTooLargeAreSkippedAndTold) {
  const std::vector<FailureRule> rules = {{.body_regex = "[^b]*a.{0,400}c.{0,400}d", .action = RuleAction::kInvalidate},
                                          {.body_regex = "\\pL{300}"},
                                          {.statuses = {400}, .action = RuleAction::kRetry}};
  std::vector<SkippedRule> skipped;
  const auto result = FailureRules::compile(rules, {}, &skipped);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->match(400, "a c d", {})->index, 2U);
  ASSERT_EQ(skipped.size(), 2U);
  EXPECT_EQ(skipped[0].field, "failure_rules[0].body_regex");
  EXPECT_EQ(skipped[1].field, "failure_rules[1].body_regex");
  const std::vector<FailureRule> broken = {{.body_regex = "("}};
  EXPECT_FALSE(FailureRules::compile(broken, {}, &skipped));
}

TEST(FailureRulePresets, AllCompile) {
  for (auto name : preset_names()) {
    const auto preset = preset_failure_rules(name);
    EXPECT_FALSE(preset.empty()) << name;
    EXPECT_TRUE(FailureRules::compile(preset)) << name;
  }
  EXPECT_TRUE(preset_failure_rules("nobody").empty());
}

KeyAction preset_action(std::string_view preset, int status, std::string_view body) {
  const auto rules = FailureRules::compile(preset_failure_rules(preset));
  const auto match = rules->match(status, body, {});
  return match ? match->verdict.key : KeyAction::kNone;
}

TEST(FailureRulePresets, JudgeWhatProvidersSay) {
  EXPECT_EQ(preset_action("openai", 429, R"({"error":{"code":"insufficient_quota"}})"), KeyAction::kExhaust);
  EXPECT_EQ(preset_action("openai", 429, R"({"error":{"code":"rate_limit_exceeded"}})"), KeyAction::kNone);
  EXPECT_EQ(preset_action("openai", 401, R"({"error":{"code":"invalid_api_key"}})"), KeyAction::kInvalidate);
  EXPECT_EQ(preset_action("anthropic", 400, R"({"error":{"message":"Your credit balance is too low to ..."}})"),
            KeyAction::kExhaust);
  EXPECT_EQ(preset_action("anthropic", 400, R"({"error":{"message":"max_tokens: required"}})"), KeyAction::kNone);
  EXPECT_EQ(preset_action("gemini", 400, R"({"error":{"details":[{"reason":"API_KEY_INVALID"}]}})"),
            KeyAction::kInvalidate);
  EXPECT_EQ(preset_action("gemini", 429, R"({"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"})"),
            KeyAction::kExhaust);
  EXPECT_EQ(preset_action("tavily", 432, "{}"), KeyAction::kExhaust);
  EXPECT_EQ(preset_action("tavily", 433, "{}"), KeyAction::kExhaust);
  EXPECT_EQ(preset_action("tavily", 401, R"({"detail":{"error":"Unauthorized: missing or invalid API key."}})"),
            KeyAction::kInvalidate);
  EXPECT_EQ(preset_action("serpapi", 429, R"({"error":"Your account has run out of searches."})"), KeyAction::kExhaust);
  EXPECT_EQ(preset_action("serpapi", 401, R"({"error":"Invalid API key. Your API key should be here"})"),
            KeyAction::kInvalidate);
  EXPECT_EQ(preset_action("serpapi", 200, R"({"error":"Google hasn't returned any results for this query."})"),
            KeyAction::kNone);
}

}  // namespace
}  // namespace akr
