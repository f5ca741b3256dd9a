// errors.hpp - what OpenAI and its copies say when something is wrong (llm-formats 4.3, "OpenAI and OpenAI-shaped").
#pragma once

#include <span>

#include "llm/error_rules.hpp"

namespace akr::openai_errors {

std::span<const ErrorRule> rules();
void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail);

}  // namespace akr::openai_errors
