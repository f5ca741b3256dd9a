// gemini.hpp - Google's Gemini: the Developer API, and Vertex.
#pragma once

#include "llm/provider.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Provider& gemini_provider();

}  // namespace akr
