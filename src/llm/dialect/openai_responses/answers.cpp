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
  return event == "response.created" || event == "response.queued" || event == "response.in_progress";
}

}  // namespace akr::openai_responses_answers
