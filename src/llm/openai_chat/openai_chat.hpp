// openai_chat.hpp - OpenAI Chat Completions, and every provider that copies it (Azure, DeepSeek, Groq, OpenRouter,
// Google's shim, ...).
#pragma once

#include "llm/format.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Format& openai_chat();

}  // namespace akr
