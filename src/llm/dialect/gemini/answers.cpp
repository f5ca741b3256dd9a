#include "llm/dialect/gemini/answers.hpp"

#include <algorithm>

#include "llm/answer_json.hpp"

namespace akr::gemini_answers {
namespace {

bool is_empty_part(const boost::json::value& value) {
  const boost::json::object* const part = value.if_object();
  if (part == nullptr) return false;
  return std::all_of(part->begin(), part->end(), [](const auto& member) {
    const std::string_view name = member.key();
    return name == "thought" || name == "thoughtSignature" || !says_something(member.value());
  });
}

// A candidate that says why it is short ("MAX_TOKENS", "SAFETY") is an answer: another key would say the same.
bool is_empty_candidate(const boost::json::value& value) {
  const boost::json::object* const candidate = value.if_object();
  if (candidate == nullptr) return false;
  const std::string_view why = text_member(*candidate, "finishReason");
  if (!why.empty() && why != "STOP" && why != "FINISH_REASON_UNSPECIFIED") return false;
  const boost::json::object* const content = object_member(*candidate, "content");
  const boost::json::array* const parts = content == nullptr ? nullptr : array_member(*content, "parts");
  return parts == nullptr || std::all_of(parts->begin(), parts->end(), is_empty_part);
}

}  // namespace

void read_usage(const boost::json::object& answer, TokenUsage& usage) {
  const boost::json::object* const counts = object_member(answer, "usageMetadata");
  if (counts == nullptr) return;
  count_member(*counts, "promptTokenCount", usage.input);
  count_member(*counts, "candidatesTokenCount", usage.output);
  count_member(*counts, "totalTokenCount", usage.total);
}

bool is_empty(const boost::json::object& answer) {
  if (const auto* const feedback = object_member(answer, "promptFeedback");
      feedback != nullptr && !text_member(*feedback, "blockReason").empty())
    return false;
  if (const boost::json::array* const candidates = array_member(answer, "candidates"))
    return std::all_of(candidates->begin(), candidates->end(), is_empty_candidate);
  // generateContent without a candidate; other calls have answers of other shapes.
  return answer.contains("modelVersion") && !answer.contains("embedding") && !answer.contains("embeddings");
}

}  // namespace akr::gemini_answers
