// registry.hpp - THE list of dialects.
#pragma once

#include <span>

#include "llm/dialect.hpp"

namespace akr {

std::span<const Dialect* const> dialects();

}  // namespace akr
