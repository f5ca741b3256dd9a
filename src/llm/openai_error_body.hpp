// openai_error_body.hpp - an error of our own as OpenAI's SDKs expect it, in each of OpenAI's dialects.
#pragma once

#include <string>

#include "llm/error_detail.hpp"

namespace akr {

std::string openai_error_body(const ErrorDetail& detail);

}  // namespace akr
