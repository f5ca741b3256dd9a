// error_hints.hpp - when a key may be used again: the one hint that counts, of all that an error answer gives.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "llm/error_detail.hpp"
#include "llm/error_facts.hpp"

namespace akr {

// In this order (behaviour.md D02): Retry-After and its like; RetryInfo; a member of the body that is named so; a
// sentence; the head that the body repeats; for 429 and 403 the counters of the answer's own head.  What is no time is
// passed over.  Not clamped.
std::optional<Duration> hint_of(const ErrorAnswer& answer, const ErrorFacts& facts);

// The same for an answer, of any status, of which an operator's rule says that it is a limit.
std::optional<Duration> limit_hint(std::span<const HeaderView> headers, std::string_view body, WallTime now);

// Does the head say that this is a limit, whatever the status: Retry-After, or a counter at 0?
bool head_tells_limit(const ErrorAnswer& answer);

}  // namespace akr
