#include "llm/dialect/openai_chat/answers.hpp"

#include <algorithm>

#include "llm/answer_json.hpp"

namespace akr::openai_chat_answers {
namespace {

void read_counts(const boost::json::object* counts, TokenUsage& usage) {
  if (counts == nullptr) return;
  count_member(*counts, "prompt_tokens", usage.input);
  count_member(*counts, "input_tokens", usage.input);  // of images
  count_member(*counts, "completion_tokens", usage.output);
  count_member(*counts, "output_tokens", usage.output);
  count_member(*counts, "total_tokens", usage.total);
}

// A message, or a delta of one: its role is no content.
bool holds_content(const boost::json::object* message) {
  if (message == nullptr) return false;
  return std::any_of(message->begin(), message->end(), [](const auto& member) {
    const std::string_view name = member.key();
    return name != "role" && name != "name" && name != "annotations" && says_something(member.value());
  });
}

// A choice that says why it is short ("length", "content_filter") is an answer: another key would say the same.
bool is_empty_choice(const boost::json::value& value) {
  const boost::json::object* const choice = value.if_object();
  if (choice == nullptr) return false;
  const std::string_view why = text_member(*choice, "finish_reason");
  if (!why.empty() && why != "stop") return false;
  return !holds_content(object_member(*choice, "message")) && !holds_content(object_member(*choice, "delta")) &&
         text_member(*choice, "text").empty();
}

}  // namespace

void read_usage(const boost::json::object& answer, TokenUsage& usage) {
  read_counts(object_member(answer, "usage"), usage);
  if (const auto* const groq = object_member(answer, "x_groq")) read_counts(object_member(*groq, "usage"), usage);
}

bool is_empty(const boost::json::object& answer) {
  const boost::json::array* const choices = array_member(answer, "choices");
  return choices != nullptr && std::all_of(choices->begin(), choices->end(), is_empty_choice);
}

}  // namespace akr::openai_chat_answers
