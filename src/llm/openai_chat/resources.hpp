// resources.hpp - what belongs to the key that made it in this dialect (llm/resources.hpp).
#pragma once

#include "llm/resources.hpp"

namespace akr {

const ResourceMap& openai_chat_resources();

}  // namespace akr
