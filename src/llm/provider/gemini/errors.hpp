// errors.hpp - what Google says when something is wrong (llm-formats 4.3, "Gemini").
#pragma once

#include <span>

#include "llm/error_rules.hpp"

namespace akr::gemini_errors {

std::span<const ErrorRule> rules();
void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail);

}  // namespace akr::gemini_errors
