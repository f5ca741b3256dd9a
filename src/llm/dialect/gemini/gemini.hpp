// gemini.hpp - Gemini generateContent, of the Developer API and of Vertex.
#pragma once

#include "llm/dialect.hpp"

namespace akr {

// The one instance; lives as long as the process.
const Dialect& gemini_dialect();

}  // namespace akr
