#include "base/time_text.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace akr {
namespace {

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm utc(WallTime time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

std::string format_rfc3339(WallTime time) {
  const std::tm t = utc(time);
  std::array<char, 40> out = {};
  std::snprintf(out.data(), out.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1,
                t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, static_cast<int>(time.time_since_epoch().count() % 1000));
  return out.data();
}

std::string format_http_date(WallTime time) {
  const std::tm t = utc(time);
  std::array<char, 40> out = {};
  std::snprintf(out.data(), out.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays.at(t.tm_wday), t.tm_mday,
                kMonths.at(t.tm_mon), t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return out.data();
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  std::tm t = {};
  const std::string copy(text);
  // strptime's %a and %b follow the C locale, which the process never changes.
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &t);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return WallTime(std::chrono::seconds(timegm(&t)));
}

}  // namespace akr
