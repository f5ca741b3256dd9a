// registry.hpp - THE list of formats.
#pragma once

#include <span>
#include <string_view>

#include "llm/format.hpp"

namespace akr {

std::span<const Format* const> formats();

// By the admin wire's name: "openai_compatible", "anthropic_native", "gemini_native".  nullptr if there is none.
const Format* find_format(std::string_view api_format);

}  // namespace akr
