#include "llm/rate_limit_hints.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/strings.hpp"
#include "base/time_text.hpp"
#include "llm/unit_durations.hpp"

namespace akr {
namespace {

constexpr double kSmallestEpochSeconds = 1e9;        // 2001; no wait is that long
constexpr double kSmallestEpochMilliseconds = 1e11;  // 1973 in ms, the year 5138 in s
constexpr std::size_t kLongestDate = 48;

// In the order of how much they are worth.
constexpr std::string_view kRetryAfter[] = {"retry-after", "x-retry-after", "x-ratelimit-retry-after",
                                            "x-rate-limit-retry-after"};

}  // namespace

std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.-") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<Duration> duration_of_seconds(double seconds) {
  constexpr double kHundredYears = 100.0 * 366 * 86400;
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kHundredYears) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::optional<Duration> wait_until(WallTime then, WallTime now) {
  return duration_of_seconds(std::max(0.0, std::chrono::duration<double>(then - now).count()));
}

std::optional<Duration> parse_seconds(std::string_view value) {
  const auto seconds = parse_decimal(trim(value));
  return seconds ? duration_of_seconds(*seconds) : std::nullopt;
}

std::optional<Duration> parse_milliseconds(std::string_view value) {
  const auto milliseconds = parse_decimal(trim(value));
  return milliseconds ? duration_of_seconds(*milliseconds / 1000) : std::nullopt;
}

std::optional<Duration> parse_retry_after(std::string_view value, WallTime now) {
  value = trim(value);
  if (const auto seconds = parse_decimal(value)) {
    return *seconds >= kSmallestEpochSeconds ? parse_epoch(value, now) : duration_of_seconds(std::ceil(*seconds));
  }
  const auto date = parse_http_date(value);
  return date ? wait_until(*date, now) : std::nullopt;
}

std::optional<Duration> parse_epoch(std::string_view value, WallTime now) {
  const auto number = parse_decimal(trim(value));
  if (!number || *number < 0) return std::nullopt;
  const double seconds = *number >= kSmallestEpochMilliseconds ? *number / 1000 : *number;
  const double wait = seconds - std::chrono::duration<double>(now.time_since_epoch()).count();
  return duration_of_seconds(std::max(0.0, wait));
}

std::optional<Duration> parse_reset(std::string_view value, WallTime now) {
  value = trim(value);
  if (const auto number = parse_decimal(value)) {
    return *number >= kSmallestEpochSeconds ? parse_epoch(value, now) : duration_of_seconds(*number);
  }
  if (const auto wait = parse_go_duration(value)) return wait;
  if (const auto wait = parse_rfc3339(value, now)) return wait;
  if (const auto wait = parse_retry_after(value, now)) return wait;
  return read_loose_date(to_lower(value.substr(0, kLongestDate)), now);
}

std::optional<std::string_view> find_header(std::span<const HeaderView> headers, std::string_view name) {
  for (const auto& header : headers) {
    if (iequals(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::optional<Duration> retry_hint(std::span<const HeaderView> headers, WallTime now) {
  for (const std::string_view name : kRetryInMilliseconds) {
    const auto value = find_header(headers, name);
    if (const auto wait = value ? parse_milliseconds(*value) : std::nullopt) return wait;
  }
  for (const std::string_view name : kRetryAfter) {
    const auto value = find_header(headers, name);
    if (!value) continue;
    if (const auto wait = parse_retry_after(*value, now)) return wait;
    if (const auto wait = parse_go_duration(*value)) return wait;
    if (const auto wait = read_loose_date(to_lower(value->substr(0, kLongestDate)), now)) return wait;
  }
  return std::nullopt;
}

}  // namespace akr
