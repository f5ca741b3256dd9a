// errors.hpp - what Anthropic says when something is wrong (llm-formats 4.3, "Anthropic").
#pragma once

#include <span>

#include "llm/error_rules.hpp"

namespace akr::anthropic_errors {

std::span<const ErrorRule> rules();
void refine(const ErrorAnswer& answer, ErrorDetail& detail, std::string_view message);

}  // namespace akr::anthropic_errors
