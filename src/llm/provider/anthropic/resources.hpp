// resources.hpp - what belongs to the key that made it at this provider (llm/resources.hpp).
#pragma once

#include "llm/resources.hpp"

namespace akr {

const ResourceMap& anthropic_resources();

}  // namespace akr
