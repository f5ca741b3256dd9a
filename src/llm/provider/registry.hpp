// registry.hpp - THE list of providers.
#pragma once

#include <span>
#include <string_view>

#include "llm/provider.hpp"

namespace akr {

// The first one is meant where a service names none.
std::span<const Provider* const> providers();

// By the name that services have for it: "openai_compatible", "anthropic_native", "gemini_native", "azure", ...
// nullptr if there is none.
const Provider* find_provider(std::string_view api_format);

}  // namespace akr
