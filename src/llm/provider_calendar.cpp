// provider_calendar.cpp - Los Angeles' midnight, the first of the month; declared in rate_limit_hints.hpp.
#include <algorithm>
#include <chrono>

#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::sys_days;

Duration until(WallTime then, WallTime now) { return std::max(Duration::zero(), Duration(then - now)); }

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
