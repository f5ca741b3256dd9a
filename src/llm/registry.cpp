#include "llm/registry.hpp"

#include "llm/anthropic/anthropic.hpp"
#include "llm/gemini/gemini.hpp"
#include "llm/openai_chat/openai_chat.hpp"

namespace akr {

std::span<const Format* const> formats() {
  static const Format* const kFormats[] = {&openai_chat(), &anthropic(), &gemini()};
  return kFormats;
}

const Format* find_format(std::string_view api_format) {
  for (const Format* format : formats()) {
    if (format->api_format() == api_format) return format;
  }
  return nullptr;
}

}  // namespace akr
