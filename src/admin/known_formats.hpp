// known_formats.hpp - llm/'s lists in core's words: what services may name as their formats.
#pragma once

#include <span>

#include "core/service/client_format.hpp"
#include "llm/dialect/registry.hpp"
#include "llm/provider/registry.hpp"

namespace akr {

KnownFormats known_formats(std::span<const Provider* const> upstreams = providers(),
                           std::span<const Dialect* const> clients = dialects());

}  // namespace akr
