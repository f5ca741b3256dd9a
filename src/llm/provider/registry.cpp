#include "llm/provider/registry.hpp"

#include "llm/provider/anthropic/anthropic.hpp"
#include "llm/provider/gemini/gemini.hpp"
#include "llm/provider/openai/compatible.hpp"
#include "llm/provider/openai/openai.hpp"

namespace akr {

std::span<const Provider* const> providers() {
  static const Provider* const kProviders[] = {
      &openai_provider(),     &anthropic_provider(), &gemini_provider(), &azure_provider(),
      &openrouter_provider(), &deepseek_provider(),  &ollama_provider(), &vllm_provider(),
  };
  return kProviders;
}

const Provider* find_provider(std::string_view api_format) {
  for (const Provider* provider : providers()) {
    if (provider->api_format == api_format) return provider;
  }
  return nullptr;
}

}  // namespace akr
