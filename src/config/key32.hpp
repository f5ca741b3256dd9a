// key32.hpp - a 32-byte key as people write it.
#pragma once

#include <optional>

#include "base/secret.hpp"

namespace akr {

// 64 hex digits, or base64 of 32 bytes in either alphabet, with or without padding; spaces around it do not count.
// The result is the 32 bytes.
std::optional<Secret> decode_key32(const Secret& text);

}  // namespace akr
