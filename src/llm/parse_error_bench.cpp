// parse_error_bench.cpp - what understanding a 4 KiB error body costs, per dialect.
#include <string>

#include <benchmark/benchmark.h>

#include "llm/provider/registry.hpp"

namespace akr {
namespace {

// A sentence of the length that makes the whole body 4 KiB.
std::string filler(std::size_t fixed) {
  std::string text;
  while (text.size() + fixed < 4096) text += "Limit reached for this model in your organization; see the console. ";
  return text.substr(0, 4096 - fixed);
}

std::string openai_body() {
  const std::string head = R"({"error":{"message":"Rate limit reached for gpt-4o: )";
  const std::string tail = R"( Please try again in 6m0s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}})";
  return head + filler(head.size() + tail.size()) + tail;
}

std::string anthropic_body() {
  const std::string head = R"({"type":"error","error":{"type":"rate_limit_error","message":")";
  const std::string tail = R"("},"request_id":"req_011CSHoEeqs5C35K2UUqR7Fy"})";
  return head + filler(head.size() + tail.size()) + tail;
}

std::string gemini_body() {
  std::string body = R"({"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED",
    "details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[)";
  for (int i = 0; i < 10; ++i) {
    body += R"({"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId":)"
            R"("GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaDimensions":{"location":"global","model":)"
            R"("gemini-2.5-pro"},"quotaValue":"50"},)";
  }
  body += R"({"quotaId":"x"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}],"more":")";
  return body + filler(body.size() + 3) + "\"}}";
}

void parse_error(benchmark::State& state, std::string_view format, int status, const std::string& body) {
  const Provider* const provider = find_provider(format);
  const UpstreamSpeech upstream = {provider, provider->dialects.front()};
  const HeaderView headers[] = {{"content-type", "application/json"}, {"x-request-id", "req_1"}};
  const ErrorAnswer answer{
      .status = status, .headers = headers, .body = body, .now = WallTime(std::chrono::hours(500'000))};
  for (auto _ : state) {
    auto detail = upstream.parse_error(answer);
    benchmark::DoNotOptimize(detail.kind);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(body.size()));
}

void BM_OpenAi429(benchmark::State& state) { parse_error(state, "openai_compatible", 429, openai_body()); }
void BM_OpenAi403(benchmark::State& state) { parse_error(state, "openai_compatible", 403, openai_body()); }
void BM_Anthropic429(benchmark::State& state) { parse_error(state, "anthropic_native", 429, anthropic_body()); }
void BM_Gemini429(benchmark::State& state) { parse_error(state, "gemini_native", 429, gemini_body()); }
void BM_Html502(benchmark::State& state) {
  parse_error(state, "openai_compatible", 502, "<html>" + std::string(4090, 'x'));
}
BENCHMARK(BM_OpenAi429);
BENCHMARK(BM_OpenAi403);
BENCHMARK(BM_Anthropic429);
BENCHMARK(BM_Gemini429);
BENCHMARK(BM_Html502);

}  // namespace
}  // namespace akr
