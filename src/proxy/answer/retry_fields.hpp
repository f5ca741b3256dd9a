// retry_fields.hpp - what an upstream says about when to come back, as the client is told it: never nonsense, and no
// longer than we wait ourselves.  An honest value stays as it was written.  Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"
#include "net/http/http1.hpp"

namespace akr {

// The longest wait of a key (a month's quota, core/outcome).
inline constexpr std::chrono::seconds kLongestToldWait = std::chrono::hours(31 * 24);

// Retry-After, or its likes in milliseconds, which SDKs prefer?
inline bool is_retry_hint(const net::Field& field) {
  if (field.id == net::FieldId::kRetryAfter) return true;
  return field.id == net::FieldId::kOther &&
         std::ranges::any_of(kRetryInMilliseconds, [&](std::string_view name) { return iequals(name, field.name); });
}

// The value that goes down in place of `field`'s: its own, the longest wait if it is longer, or a number of seconds for
// a point in time that is written as a number; "" = the field is left out (negative, garbage, beyond all calendars).
// REQUIRES: is_retry_hint(field).
std::string told_retry(const net::Field& field, WallTime now);

}  // namespace akr
