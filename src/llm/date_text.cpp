// date_text.cpp - dates as providers write them, in fields and in sentences; declared in rate_limit_hints.hpp.
#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <iterator>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"
#include "llm/unit_durations.hpp"

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

// ---- parts of dates.  Each takes what it knows from the front of `text`; text of an optional part stays.

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

// ---- as sentences have them

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool take_any(std::string_view& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return take_word(text, word); });
}

void skip_spaces(std::string_view& text) {
  while (take(text, " ")) {
  }
}

// One or two digits; -1.
int take_short_number(std::string_view& text) {
  const bool two = text.size() >= 2 && is_digit(text[0]) && is_digit(text[1]);
  return take_number(text, two ? 2 : 1);
}

unsigned take_month(std::string_view& text) {
  constexpr std::string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                          "july",    "august",   "september", "october", "november", "december"};
  for (unsigned i = 0; i < std::size(kMonths); ++i) {
    if (!take_word(text, kMonths[i]) && !take_word(text, kMonths[i].substr(0, 3))) continue;
    take(text, ".");
    return i + 1;
  }
  return 0;
}

// "22 nov 2026", "nov 22nd, 2026", "sun, 22 nov 2026".
std::optional<sys_days> take_named_date(std::string_view& text) {
  if (take_any(text, {"mon", "tue", "wed", "thu", "fri", "sat", "sun"})) {
    while (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.remove_prefix(1);
    take(text, ",");
    skip_spaces(text);
  }
  unsigned month = take_month(text);
  skip_spaces(text);
  const int day = take_short_number(text);
  take_any(text, {"st", "nd", "rd", "th"});
  take(text, ",");
  skip_spaces(text);
  if (month == 0) month = take_month(text);
  take(text, ",");
  skip_spaces(text);
  const int year = take_number(text, 4);
  if (month == 0 || day < 0 || year < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return date.ok() ? std::optional(sys_days(date)) : std::nullopt;
}

// "20:32", "20:32:33.711", "8:32 pm".
std::optional<seconds> take_clock(std::string_view& text) {
  int hour = take_short_number(text);
  const bool colon = take(text, ":");
  const int minute = take_number(text, 2);
  if (!colon || hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  int second = 0;
  if (take(text, ":")) second = take_number(text, 2);
  if (second < 0 || second > 60) return std::nullopt;
  if (text.size() > 1 && text[0] == '.' && is_digit(text[1]))
    text.remove_prefix(std::min(text.find_first_not_of("0123456789", 1), text.size()));
  std::string_view half = text;
  skip_spaces(half);
  const bool afternoon = take_any(half, {"pm", "p.m."});
  if (afternoon && hour < 12) hour += 12;
  if (!afternoon && take_any(half, {"am", "a.m."}) && hour == 12) hour = 0;
  text = half;
  return hours(hour) + minutes(minute) + seconds(second);
}

// "z", "utc", "(gmt)", "+02:00", "+0200", "utc+8", "pst"; no zone is UTC.
seconds take_zone(std::string_view text) {
  struct Zone {
    std::string_view name;
    hours offset;
  };
  constexpr Zone kZones[] = {{"pst", hours(-8)}, {"pdt", hours(-7)}, {"est", hours(-5)}, {"edt", hours(-4)}};
  skip_spaces(text);
  take(text, "(");
  for (const Zone& zone : kZones) {
    if (text.starts_with(zone.name)) return zone.offset;
  }
  take_any(text, {"utc", "gmt"});
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, "+-")) return seconds(0);
  const int hour = take_short_number(text);
  take(text, ":");
  const int minute = text.size() >= 2 && is_digit(text[0]) && is_digit(text[1]) ? take_number(text, 2) : 0;
  if (hour < 0 || hour > 14 || minute > 59) return seconds(0);
  return sign * seconds(hours(hour) + minutes(minute));
}

}  // namespace

std::optional<Duration> parse_rfc3339(std::string_view value, WallTime now) {
  value = trim(value);
  const auto date = take_date(value);
  if (!date) return std::nullopt;
  if (value.empty()) return wait_until(*date, now);
  if (!take(value, "Tt ")) return std::nullopt;
  const auto time = take_time(value);
  if (!time) return std::nullopt;
  const auto offset = take_offset(value);
  if (!offset || !value.empty()) return std::nullopt;
  return wait_until(*date + *time - *offset, now);
}

std::optional<Duration> read_loose_date(std::string_view lower, WallTime now) {
  std::string_view named = lower;
  auto date = take_date(lower);
  if (!date) {
    lower = named;
    date = take_named_date(lower);
  }
  if (!date) return std::nullopt;
  std::string_view behind = lower;
  const bool joined = take_any(behind, {"t", ", at ", " at ", ", ", " "});
  const auto time = joined ? take_clock(behind) : std::nullopt;
  if (!time) return wait_until(*date, now);
  return wait_until(*date + *time - take_zone(behind), now);
}

}  // namespace akr
