#include "llm/dialect.hpp"

#include <algorithm>

#include "llm/answer_json.hpp"

namespace akr {

void Dialect::read_usage(std::string_view json, TokenUsage& usage) const {
  for (const boost::json::object& answer : answer_objects(json)) add_usage(answer, usage);
}

bool Dialect::is_empty_answer(std::string_view json) const {
  const auto answers = answer_objects(json);
  return !answers.empty() &&
         std::all_of(answers.begin(), answers.end(), [this](const auto& answer) { return is_empty(answer); });
}

bool Dialect::is_empty_event(const SseEventView& event) const {
  return event.data == "[DONE]" || is_empty_answer(event.data);
}

std::string Dialect::build_error_event(const ErrorDetail& detail) const {
  return "event: error\ndata: " + build_error(detail) + "\n\n";
}

}  // namespace akr
