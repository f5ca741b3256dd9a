#include "store/sql/sql_time.hpp"

#include <cstdio>

#include "base/strings.hpp"
#include "base/time_text.hpp"

namespace akr {

std::string to_sql_time(WallTime time, const Dialect& dialect) {
  std::string text = format_rfc3339(time);  // 2026-11-22T20:32:33.711Z
  text[10] = ' ';
  text.pop_back();
  return dialect.times_have_zones ? text + "+00:00" : text;
}

WallTime from_sql_time(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
                  &used) != 6) {
    return WallTime{};
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return WallTime{};
  std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(used));
  milliseconds fraction{0};
  if (rest.starts_with('.')) {
    const auto digits = std::min(rest.find_first_not_of("0123456789", 1), rest.size()) - 1;
    const std::string first_three = (std::string(rest.substr(1, digits)) + "000").substr(0, 3);
    fraction = milliseconds(parse_u64(first_three).value_or(0));
    rest.remove_prefix(digits + 1);
  }
  int zone_hours = 0, zone_minutes = 0;
  char sign = '+';
  if (std::sscanf(std::string(rest).c_str(), "%c%2d:%2d", &sign, &zone_hours, &zone_minutes) != 3) zone_hours = 0;
  const minutes zone = (hours(zone_hours) + minutes(zone_minutes)) * (sign == '-' ? -1 : 1);
  return WallTime(sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + fraction - zone);
}

}  // namespace akr
