// unit_durations.hpp - the numbers inside waits: shared by rate_limit_hints.cpp and retry_phrases.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace akr {

// Digits, at most one '.', a leading '-'; no exponent, no infinity.
std::optional<double> parse_decimal(std::string_view text);

// nullopt if negative, not finite or longer than a hundred years.
std::optional<Duration> duration_of_seconds(double seconds);

// 0 if it has passed; nullopt if it is more than a hundred years ahead, where a Duration would overflow.
std::optional<Duration> wait_until(WallTime then, WallTime now);

// Reads "1h 2m 3.5s", "20 seconds", "1 minute and 5 seconds" from the front of `text` for as long as numbers with units
// follow each other.  `used` is how far it got; nullopt if there was not even one.
std::optional<Duration> read_unit_durations(std::string_view text, std::size_t& used);

}  // namespace akr
