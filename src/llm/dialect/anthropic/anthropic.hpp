// anthropic.hpp - Anthropic Messages.
#pragma once

#include "llm/dialect.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Dialect& anthropic_dialect();

}  // namespace akr
