#include "proxy/answer/retry_fields.hpp"

#include <algorithm>
#include <optional>

namespace akr {
namespace {

constexpr std::size_t kLongestNumber = 9;  // digits that are no point in time
constexpr std::size_t kLongestDate = 48;

// As the judge of answers reads it (llm/rate_limit_hints.hpp).
std::optional<Duration> wait_in(std::string_view value, WallTime now) {
  if (const auto wait = parse_retry_after(value, now)) return wait;
  if (const auto wait = parse_go_duration(value)) return wait;
  return read_loose_date(to_lower(value.substr(0, kLongestDate)), now);
}

}  // namespace

std::string told_retry(const net::Field& field, WallTime now) {
  const std::string_view value = trim(field.value);
  if (value.starts_with('-')) return {};
  const bool in_seconds = field.id == net::FieldId::kRetryAfter;
  const auto wait = in_seconds ? wait_in(value, now) : parse_milliseconds(value);
  if (!wait) return {};
  const bool point_in_time = in_seconds && value.size() > kLongestNumber && is_digits(value);
  if (!point_in_time && *wait <= kLongestToldWait) return std::string(field.value);
  const Duration told = std::min<Duration>(*wait, kLongestToldWait);
  if (!in_seconds) return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(told).count());
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(told).count());
}

}  // namespace akr
