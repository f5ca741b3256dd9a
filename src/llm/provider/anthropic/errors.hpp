// errors.hpp - what Anthropic says when something is wrong (llm-formats 4.3, "Anthropic").
#pragma once

#include <span>

#include "llm/error_rules.hpp"

namespace akr::anthropic_errors {

std::span<const ErrorRule> rules();
void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail);

}  // namespace akr::anthropic_errors
