// answers_test.cpp - what good answers say: their usage, and whether there is anything in them.
#include <cstdlib>

#include <gtest/gtest.h>

#include "llm/dialect/registry.hpp"

namespace akr {
namespace {

const Dialect& speaking(std::string_view id) {
  for (const Dialect* dialect : dialects()) {
    if (dialect->id() == id) return *dialect;
  }
  std::abort();
}

struct Case {
  const char* format;
  bool empty;
  const char* json;
};

constexpr const char* kOpenAi = "openai_chat";
constexpr const char* kResponses = "openai_responses";
constexpr const char* kAnthropic = "anthropic";
constexpr const char* kGemini = "gemini";

// Whole answers.
const Case kAnswers[] = {
    {kOpenAi, true, R"({"choices":[]})"},
    {kOpenAi, true, R"({"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}]})"},
    {kOpenAi, true, R"({"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[]}}]})"},
    {kOpenAi, true, R"({"choices":[{"text":"","finish_reason":null}]})"},
    {kOpenAi, false, R"({"choices":[{"message":{"content":"hi"}}]})"},
    {kOpenAi, false, R"({"choices":[{"message":{"content":null,"tool_calls":[{"id":"c"}]}}]})"},
    {kOpenAi, false, R"({"choices":[{"message":{"content":"","refusal":"no"}}]})"},
    {kOpenAi, false, R"({"choices":[{"message":{"content":""},"finish_reason":"length"}]})"},
    {kOpenAi, false, R"({"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]})"},
    {kOpenAi, false, R"({"choices":[{"message":{"content":""}},{"message":{"content":"b"}}]})"},
    {kResponses, true, R"({"object":"response","status":"completed","output":[]})"},
    {kResponses, false, R"({"object":"response","status":"incomplete","output":[]})"},
    {kResponses, false, R"({"object":"response","status":"completed","output":[{"type":"message"}]})"},
    {kOpenAi, false, R"({"object":"list","data":[]})"},
    {kOpenAi, false, R"({})"},
    {kOpenAi, false, R"({"choices":[)"},
    {kAnthropic, true, R"({"type":"message","content":[],"stop_reason":"end_turn"})"},
    {kAnthropic, true, R"({"type":"message","content":[{"type":"text","text":""}],"stop_reason":null})"},
    {kAnthropic, false, R"({"type":"message","content":[],"stop_reason":"max_tokens"})"},
    {kAnthropic, false, R"({"type":"message","content":[],"stop_reason":"refusal"})"},
    {kAnthropic, false, R"({"type":"message","content":[{"type":"text","text":"a"}]})"},
    {kAnthropic, false, R"({"type":"message","content":[{"type":"tool_use","input":{}}]})"},
    {kAnthropic, false, R"({"input_tokens":5})"},
    {kGemini, true, R"({"candidates":[],"modelVersion":"m"})"},
    {kGemini, true, R"({"modelVersion":"m","usageMetadata":{"promptTokenCount":3}})"},
    {kGemini, true, R"({"candidates":[{"content":{"role":"model"},"finishReason":"STOP"}]})"},
    {kGemini, true, R"({"candidates":[{"content":{"parts":[{"text":""}]}}]})"},
    {kGemini, true, R"([{"candidates":[]},{"candidates":[{"finishReason":"STOP"}]}])"},
    {kGemini, false, R"([{"candidates":[]},{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}])"},
    {kGemini, false, R"({"candidates":[{"finishReason":"SAFETY"}]})"},
    {kGemini, false, R"({"promptFeedback":{"blockReason":"SAFETY"},"candidates":[]})"},
    {kGemini, false, R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]})"},
    {kGemini, false, R"({"totalTokens":7})"},
    {kGemini, false, R"({"embedding":{"values":[]},"modelVersion":"m"})"},
    {kGemini, false, R"([])"},
};

TEST(Answers, AnEmptyOneIsToldFromOneThatSaysSomethingOrWhyItDoesNot) {
  for (const Case& each : kAnswers)
    EXPECT_EQ(speaking(each.format).is_empty_answer(each.json), each.empty) << each.json;
}

// Events of streams.
const Case kEvents[] = {
    {kOpenAi, true, R"({"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]})"},
    {kOpenAi, true, R"({"choices":[],"usage":{"total_tokens":5}})"},
    {kOpenAi, true, R"({"choices":[{"delta":{},"finish_reason":"stop"}]})"},
    {kOpenAi, true, "[DONE]"},
    {kOpenAi, false, R"({"choices":[{"delta":{"content":" "}}]})"},
    {kOpenAi, false, R"({"choices":[{"delta":{"reasoning_content":"hm"}}]})"},
    {kOpenAi, false, R"({"choices":[{"delta":{"tool_calls":[{"index":0}]}}]})"},
    {kOpenAi, false, R"({"choices":[{"delta":{},"finish_reason":"content_filter"}]})"},
    {kResponses, true, R"({"type":"response.created","response":{"output":[]}})"},
    {kResponses, true, R"({"type":"response.completed","response":{"status":"completed","output":[]}})"},
    {kResponses, false, R"({"type":"response.output_text.delta","delta":"a"})"},
    {kOpenAi, false, "not json"},
    {kAnthropic, true, R"({"type":"message_start","message":{"content":[]}})"},
    {kAnthropic, true, R"({"type":"ping"})"},
    {kAnthropic, true, R"({"type":"content_block_start","content_block":{"type":"text","text":""}})"},
    {kAnthropic, true, R"({"type":"content_block_stop","index":0})"},
    {kAnthropic, true, R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})"},
    {kAnthropic, true, R"({"type":"message_stop"})"},
    {kAnthropic, false, R"({"type":"message_delta","delta":{"stop_reason":"refusal"}})"},
    {kAnthropic, false, R"({"type":"content_block_start","content_block":{"type":"tool_use","id":"t"}})"},
    {kAnthropic, false, R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}})"},
    {kGemini, true, R"({"candidates":[{"content":{"parts":[{"text":""}]}}]})"},
    {kGemini, false, R"({"candidates":[{"content":{"parts":[{"text":"a","thought":true}]}}]})"},
};

TEST(Answers, EventsWithoutContentAreToldFromTheOthers) {
  for (const Case& each : kEvents)
    EXPECT_EQ(speaking(each.format).is_empty_event({.data = each.json}), each.empty) << each.json;
}

struct Cost {
  const char* format;
  std::optional<std::uint64_t> total;
  const char* json;
};

TEST(Answers, UsageIsReadWhereEachDialectWritesIt) {
  const Cost costs[] = {
      {kOpenAi, 9, R"({"usage":{"prompt_tokens":4,"completion_tokens":5,"total_tokens":9}})"},
      {kOpenAi, 9, R"({"usage":{"prompt_tokens":4,"completion_tokens":5}})"},
      {kResponses, 9, R"({"usage":{"input_tokens":4,"output_tokens":5,"total_tokens":9}})"},
      {kResponses, 9, R"({"type":"response.completed","response":{"usage":{"total_tokens":9}}})"},
      {kOpenAi, 9, R"({"x_groq":{"usage":{"total_tokens":9}}})"},
      {kOpenAi, std::nullopt, R"({"usage":null})"},
      {kOpenAi, std::nullopt, R"({"usage":{"total_tokens":-1}})"},
      {kOpenAi, std::nullopt, R"({"choices":[{"message":{"content":"\"usage\":{\"total_tokens\":9}"}}]})"},
      {kAnthropic, 9, R"({"usage":{"input_tokens":4,"output_tokens":5}})"},
      {kAnthropic, 12, R"({"usage":{"input_tokens":4,"cache_creation_input_tokens":3,"output_tokens":5}})"},
      {kAnthropic, 9, R"({"usage":{"input_tokens":4,"cache_read_input_tokens":300,"output_tokens":5}})"},
      {kAnthropic, 4, R"({"type":"message_start","message":{"usage":{"input_tokens":4}}})"},
      {kGemini, 9, R"({"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":5,"totalTokenCount":9}})"},
      {kGemini, 4, R"({"usageMetadata":{"promptTokenCount":4}})"},
      {kGemini, std::nullopt, R"({"usage":{"total_tokens":9}})"},
  };
  for (const Cost& each : costs) {
    TokenUsage usage;
    speaking(each.format).read_usage(each.json, usage);
    EXPECT_EQ(usage.sum(), each.total) << each.json;
  }
}

}  // namespace
}  // namespace akr
