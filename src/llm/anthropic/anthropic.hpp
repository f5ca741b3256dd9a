// anthropic.hpp - Anthropic Messages.
#pragma once

#include "llm/format.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Format& anthropic();

}  // namespace akr
