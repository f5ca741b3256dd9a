// What an operator's rules add to understanding a 4 KiB error body; the format's own part is llm/parse_error_bench.cpp.
// Figure to hold: under 5 us.
#include <string>

#include <benchmark/benchmark.h>

#include "core/outcome/failure_rules.hpp"
#include "core/outcome/outcome.hpp"

namespace akr {
namespace {

std::string error_body() {
  std::string body = R"({"error":{"type":"requests","param":null,"code":"rate_limit_exceeded","message":")";
  while (body.size() < 4090) body += "Limit reached for this model in your organization; see the console. ";
  return body.substr(0, 4092) + "\"}}";
}

// The built-in lists: all of their rules are tried, as none fits.
void preset(benchmark::State& state, std::string_view name) {
  const FailureRules rules = FailureRules::compile(preset_failure_rules(name)).value();
  const std::string body = error_body();
  for (auto _ : state) benchmark::DoNotOptimize(rules.match(429, body, std::nullopt));
}
BENCHMARK_CAPTURE(preset, openai, "openai");
BENCHMARK_CAPTURE(preset, anthropic, "anthropic");
BENCHMARK_CAPTURE(preset, gemini, "gemini");
BENCHMARK_CAPTURE(preset, tavily, "tavily");
BENCHMARK_CAPTURE(preset, serpapi, "serpapi");

void four_patterns_over_the_body(benchmark::State& state) {
  std::vector<FailureRule> list;
  for (const char* pattern : {"out of searches", "(?i)quota exceeded", "key (was )?revoked", "PerDay"})
    list.push_back({.statuses = {429}, .body_regex = pattern, .action = RuleAction::kExhaust});
  const FailureRules rules = FailureRules::compile(list).value();
  const std::string body = error_body();
  for (auto _ : state) benchmark::DoNotOptimize(rules.match(429, body, std::nullopt));
}
BENCHMARK(four_patterns_over_the_body);

// As many and as large patterns as are accepted, on a text that is the worst for them.  Figure to hold: 5 ms.
void the_most_that_is_accepted(benchmark::State& state) {
  std::vector<FailureRule> list;
  while (FailureRules::compile(list)) list.push_back({.statuses = {429}, .body_regex = "a[a-c]{60}d"});
  list.pop_back();
  const FailureRules rules = FailureRules::compile(list).value();
  std::string body;
  for (std::uint32_t dice = 7; body.size() < 65'536; dice = dice * 1664525 + 1013904223) body += "ac"[dice >> 31];
  for (auto _ : state) benchmark::DoNotOptimize(rules.match(429, body, std::nullopt));
}
BENCHMARK(the_most_that_is_accepted)->Unit(benchmark::kMillisecond);

void table(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(classify({.status = 429, .kind = FailureKind::kDailyQuota, .code = "quota"}));
  }
}
BENCHMARK(table);

}  // namespace
}  // namespace akr
