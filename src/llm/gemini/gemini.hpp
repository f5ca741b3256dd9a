// gemini.hpp - Gemini generateContent, of the Developer API and of Vertex.
#pragma once

#include "llm/format.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Format& gemini();

}  // namespace akr
