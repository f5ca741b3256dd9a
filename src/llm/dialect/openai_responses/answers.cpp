#include "llm/dialect/openai_responses/answers.hpp"

#include "llm/answer_json.hpp"

namespace akr::openai_responses_answers {
namespace {

void read_counts(const boost::json::object& response, TokenUsage& usage) {
  const boost::json::object* const counts = object_member(response, "usage");
  if (counts == nullptr) return;
  count_member(*counts, "input_tokens", usage.input);
  count_member(*counts, "output_tokens", usage.output);
  count_member(*counts, "total_tokens", usage.total);
}

bool is_empty_response(const boost::json::object& response) {
  const boost::json::array* const output = array_member(response, "output");
  return text_member(response, "status") == "completed" && output != nullptr && output->empty();
}

// A message or a thought that has only begun.
bool is_empty_item(const boost::json::object* item) {
  if (item == nullptr) return false;
  const std::string_view type = text_member(*item, "type");
  if (type != "message" && type != "reasoning") return false;
  const boost::json::array* const parts = array_member(*item, type == "message" ? "content" : "summary");
  return parts == nullptr || parts->empty();
}

bool is_empty_part(const boost::json::object* part) {
  return part != nullptr && text_member(*part, "type") == "output_text" && text_member(*part, "text").empty();
}

}  // namespace

void read_usage(const boost::json::object& answer, TokenUsage& usage) {
  read_counts(answer, usage);
  if (const auto* const response = object_member(answer, "response")) read_counts(*response, usage);
}

bool is_empty(const boost::json::object& answer) {
  if (text_member(answer, "object") == "response") return is_empty_response(answer);
  const std::string_view event = text_member(answer, "type");
  if (event == "response.completed") {
    const boost::json::object* const response = object_member(answer, "response");
    return response != nullptr && is_empty_response(*response);
  }
  if (event == "response.output_item.added") return is_empty_item(object_member(answer, "item"));
  if (event == "response.content_part.added") return is_empty_part(object_member(answer, "part"));
  return event == "response.created" || event == "response.queued" || event == "response.in_progress";
}

}  // namespace akr::openai_responses_answers
