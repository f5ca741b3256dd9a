// openai_responses.hpp - OpenAI Responses.
#pragma once

#include "llm/dialect.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Dialect& openai_responses_dialect();

}  // namespace akr
