// provider_calendar.cpp - dates of providers: RFC 3339, Los Angeles' midnight, the first of the month.  Declared in
// rate_limit_hints.hpp.
#include <algorithm>
#include <chrono>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

Duration until(WallTime then, WallTime now) { return std::max(Duration::zero(), Duration(then - now)); }

// ---- RFC 3339

// Takes `count` digits from the front of `text`; -1 if they are not there.
int take_number(std::string_view& text, std::size_t count) {
  const auto value = parse_u64(text.substr(0, count));
  if (text.size() < count || !value) return -1;
  text.remove_prefix(count);
  return static_cast<int>(*value);
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<sys_days> take_date(std::string_view& text) {
  const int year = take_number(text, 4);
  const bool dash = take(text, "-");
  const int month = take_number(text, 2);
  const bool second_dash = take(text, "-");
  const int day = take_number(text, 2);
  if (!dash || !second_dash || year < 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return date.ok() ? std::optional(sys_days(date)) : std::nullopt;
}

// "20:32:33.711": the fraction is dropped, so the wait may be up to a second short; the clamp's minimum covers it.
std::optional<seconds> take_time(std::string_view& text) {
  const int hour = take_number(text, 2);
  const bool colon = take(text, ":");
  const int minute = take_number(text, 2);
  const bool second_colon = take(text, ":");
  const int second = take_number(text, 2);
  const bool in_range = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60;
  if (!colon || !second_colon || !in_range) return std::nullopt;
  if (take(text, ".")) text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  return hours(hour) + minutes(minute) + seconds(second);
}

std::optional<seconds> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return seconds(0);
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, "+-")) return std::nullopt;
  const int hour = take_number(text, 2);
  const bool colon = take(text, ":");
  const int minute = take_number(text, 2);
  if (!colon || hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  return sign * seconds(hours(hour) + minutes(minute));
}

// ---- Los Angeles

// Standard time is UTC-8; daylight time, UTC-7, from the second Sunday of March 02:00 to the first of November 02:00
// (Energy Policy Act of 2005, in force since 2007).
constexpr hours kStandard{-8};
constexpr hours kDaylight{-7};

hours pacific_offset(std::chrono::sys_seconds at) {
  using namespace std::chrono_literals;
  const auto year = std::chrono::year_month_day(std::chrono::floor<days>(at)).year();
  const auto spring = sys_days(year / std::chrono::March / std::chrono::Sunday[2]) + 2h - kStandard;
  const auto autumn = sys_days(year / std::chrono::November / std::chrono::Sunday[1]) + 2h - kDaylight;
  return at >= spring && at < autumn ? kDaylight : kStandard;
}

}  // namespace

std::optional<Duration> parse_rfc3339(std::string_view value, WallTime now) {
  value = trim(value);
  const auto date = take_date(value);
  if (!date) return std::nullopt;
  if (value.empty()) return until(*date, now);
  if (!take(value, "Tt ")) return std::nullopt;
  const auto time = take_time(value);
  if (!time) return std::nullopt;
  const auto offset = take_offset(value);
  if (!offset || !value.empty()) return std::nullopt;
  return until(*date + *time - *offset, now);
}

Duration until_pacific_midnight(WallTime now) {
  const auto at = std::chrono::floor<seconds>(now);
  const auto local_day = std::chrono::floor<days>(at + pacific_offset(at));
  const auto local_midnight = local_day + days(1);
  // If daylight time holds at the instant that would be midnight under it, it is midnight.  Neither switch is near it:
  // both are at 02:00.
  const auto offset = pacific_offset(std::chrono::sys_seconds(local_midnight) - kDaylight);
  return until(local_midnight - offset, now);
}

Duration until_next_month(WallTime now) {
  const std::chrono::year_month_day today(std::chrono::floor<days>(now));
  const auto next = today.year() / today.month() / std::chrono::day(1) + std::chrono::months(1);
  return until(sys_days(next), now);
}

}  // namespace akr
