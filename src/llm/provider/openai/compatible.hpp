// compatible.hpp - providers that speak OpenAI's dialects, as what they document to do otherwise.  What is not listed
// here needs no entry: openai_compatible serves it.
#pragma once

#include "llm/provider.hpp"

namespace akr {

// Each the one instance; they live as long as the process.
const Provider& azure_provider();
const Provider& openrouter_provider();
const Provider& deepseek_provider();
const Provider& ollama_provider();
const Provider& vllm_provider();

}  // namespace akr
