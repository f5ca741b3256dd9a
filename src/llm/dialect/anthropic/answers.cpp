#include "llm/dialect/anthropic/answers.hpp"

#include <algorithm>

#include "llm/answer_json.hpp"

namespace akr::anthropic_answers {
namespace {

void read_counts(const boost::json::object* counts, TokenUsage& usage) {
  if (counts == nullptr) return;
  // What is written to the cache counts towards the limit, and is no part of input_tokens; what is read from it is not
  // counted.
  std::optional<std::uint64_t> input, cached;
  count_member(*counts, "input_tokens", input);
  count_member(*counts, "cache_creation_input_tokens", cached);
  if (input || cached) usage.input = std::max(usage.input.value_or(0), input.value_or(0) + cached.value_or(0));
  count_member(*counts, "output_tokens", usage.output);
}

// A block, or a delta of one: everything but its type is content.
bool is_empty_block(const boost::json::object* block) {
  if (block == nullptr) return false;
  const std::string_view type = text_member(*block, "type");
  if (type == "tool_use" || type == "server_tool_use") return false;
  return std::all_of(block->begin(), block->end(),
                     [](const auto& member) { return member.key() == "type" || !says_something(member.value()); });
}

// An answer that says why it is short ("max_tokens", "refusal") is one: another key would say the same.
bool ended_normally(const boost::json::object* holder) {
  if (holder == nullptr) return false;
  const std::string_view why = text_member(*holder, "stop_reason");
  return why.empty() || why == "end_turn";
}

}  // namespace

void read_usage(const boost::json::object& answer, TokenUsage& usage) {
  read_counts(object_member(answer, "usage"), usage);
  if (const auto* const message = object_member(answer, "message"))
    read_counts(object_member(*message, "usage"), usage);
}

bool is_empty(const boost::json::object& answer) {
  const std::string_view type = text_member(answer, "type");
  if (type == "message") {
    const boost::json::array* const content = array_member(answer, "content");
    return content != nullptr && ended_normally(&answer) &&
           std::all_of(content->begin(), content->end(),
                       [](const auto& block) { return is_empty_block(block.if_object()); });
  }
  if (type == "content_block_start") return is_empty_block(object_member(answer, "content_block"));
  if (type == "content_block_delta") return is_empty_block(object_member(answer, "delta"));
  if (type == "message_delta") return ended_normally(object_member(answer, "delta"));
  return type == "message_start" || type == "ping" || type == "content_block_stop" || type == "message_stop";
}

}  // namespace akr::anthropic_answers
