#include "llm/dialect/registry.hpp"

#include "llm/dialect/anthropic/anthropic.hpp"
#include "llm/dialect/gemini/gemini.hpp"
#include "llm/dialect/openai_chat/openai_chat.hpp"
#include "llm/dialect/openai_responses/openai_responses.hpp"

namespace akr {

std::span<const Dialect* const> dialects() {
  static const Dialect* const kDialects[] = {
      &openai_chat_dialect(),
      &openai_responses_dialect(),
      &anthropic_dialect(),
      &gemini_dialect(),
  };
  return kDialects;
}

}  // namespace akr
