// anthropic.hpp - Anthropic.
#pragma once

#include "llm/provider.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Provider& anthropic_provider();

}  // namespace akr
