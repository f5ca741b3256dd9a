#include "llm/openai_chat/answers.hpp"

#include <algorithm>

#include "llm/answer_json.hpp"

namespace akr::openai_chat_answers {
namespace {

void read_counts(const boost::json::object* counts, TokenUsage& usage) {
  if (counts == nullptr) return;
  count_member(*counts, "prompt_tokens", usage.input);  // chat
  count_member(*counts, "input_tokens", usage.input);   // responses
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

bool is_empty_response(const boost::json::object& response) {
  const boost::json::array* const output = array_member(response, "output");
  return text_member(response, "status") == "completed" && output != nullptr && output->empty();
}

}  // namespace

void read_usage(const boost::json::object& answer, TokenUsage& usage) {
  read_counts(object_member(answer, "usage"), usage);
  for (const char* const wrapper : {"response", "x_groq"}) {
    if (const auto* const inner = object_member(answer, wrapper)) read_counts(object_member(*inner, "usage"), usage);
  }
}

bool is_empty(const boost::json::object& answer) {
  if (const boost::json::array* const choices = array_member(answer, "choices"))
    return std::all_of(choices->begin(), choices->end(), is_empty_choice);
  if (text_member(answer, "object") == "response") return is_empty_response(answer);
  const std::string_view event = text_member(answer, "type");
  if (event == "response.completed") {
    const boost::json::object* const response = object_member(answer, "response");
    return response != nullptr && is_empty_response(*response);
  }
  return event == "response.created" || event == "response.queued" || event == "response.in_progress";
}

}  // namespace akr::openai_chat_answers
