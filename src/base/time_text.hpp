// time_text.hpp - times as text, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace akr {

// "2026-11-22T20:32:33.711Z" (RFC 3339, UTC, milliseconds).
std::string format_rfc3339(WallTime time);

// "Sun, 22 Nov 2026 20:32:33 GMT" (RFC 9110 section 5.6.7).
std::string format_http_date(WallTime time);
// The IMF-fixdate form only; nullopt for anything else.
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace akr
