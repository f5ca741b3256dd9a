// openai_chat.hpp - OpenAI Chat Completions, and every API that copies it (Azure, DeepSeek, Groq, OpenRouter, Google's
// shim, ...).
#pragma once

#include "llm/dialect.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Dialect& openai_chat_dialect();

}  // namespace akr
