// openai.hpp - OpenAI, and what is only known to be compatible with it.
#pragma once

#include "llm/provider.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Provider& openai_provider();

}  // namespace akr
