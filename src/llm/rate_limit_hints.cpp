#include "llm/rate_limit_hints.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "base/strings.hpp"
#include "base/time_text.hpp"
#include "llm/unit_durations.hpp"

namespace akr {
namespace {

constexpr double kSmallestEpochSeconds = 1e9;        // 2001; no wait is that long
constexpr double kSmallestEpochMilliseconds = 1e11;  // 1973 in ms, the year 5138 in s

Duration until(WallTime then, WallTime now) { return std::max(Duration::zero(), Duration(then - now)); }

// The part of a header's name that says which bucket it counts: "x-ratelimit-remaining-tokens" and
// "anthropic-ratelimit-tokens-remaining" pair with the same name with "reset" in its place.
std::optional<std::string> reset_name_of(std::string_view name) {
  constexpr std::string_view kRemaining = "remaining";
  std::string lower = to_lower(name);
  const auto at = lower.find(kRemaining);
  if (at == std::string::npos || lower.find("ratelimit") == std::string::npos) return std::nullopt;
  return lower.replace(at, kRemaining.size(), "reset");
}

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
  if (const auto seconds = parse_decimal(value)) return duration_of_seconds(std::ceil(*seconds));
  const auto date = parse_http_date(value);
  return date ? std::optional(until(*date, now)) : std::nullopt;
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
  return parse_retry_after(value, now);
}

std::optional<std::string_view> find_header(std::span<const HeaderView> headers, std::string_view name) {
  for (const auto& header : headers) {
    if (iequals(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::optional<Duration> retry_hint(std::span<const HeaderView> headers, WallTime now) {
  if (const auto value = find_header(headers, "retry-after-ms")) {
    if (const auto wait = parse_milliseconds(*value)) return wait;
  }
  const auto value = find_header(headers, "retry-after");
  if (!value) return std::nullopt;
  const auto wait = parse_retry_after(*value, now);
  return wait ? wait : parse_go_duration(trim(*value));
}

std::optional<Duration> empty_bucket_reset(std::span<const HeaderView> headers, WallTime now) {
  std::optional<Duration> latest;
  for (const auto& header : headers) {
    if (parse_decimal(trim(header.value)) != 0.0) continue;
    const auto reset_name = reset_name_of(header.name);
    const auto reset = reset_name ? find_header(headers, *reset_name) : std::nullopt;
    const auto wait = reset ? parse_reset(*reset, now) : std::nullopt;
    if (wait) latest = std::max(latest.value_or(Duration::zero()), *wait);
  }
  return latest;
}

}  // namespace akr
