#include "llm/unit_durations.hpp"

#include "base/strings.hpp"

namespace akr {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};

constexpr Unit kUnits[] = {
    {"s", 1},
    {"ms", 1e-3},
    {"m", 60},
    {"h", 3600},
    {"sec", 1},
    {"secs", 1},
    {"second", 1},
    {"seconds", 1},
    {"min", 60},
    {"mins", 60},
    {"minute", 60},
    {"minutes", 60},
    {"hr", 3600},
    {"hrs", 3600},
    {"hour", 3600},
    {"hours", 3600},
    {"d", 86400},
    {"day", 86400},
    {"days", 86400},
    {"us", 1e-6},
    {"\xc2\xb5s", 1e-6},
    {"\xce\xbcs", 1e-6},
    {"ns", 1e-9},
    {"millisecond", 1e-3},
    {"milliseconds", 1e-3},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_unit_char(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

// The end of the number that begins at `at`; a '.' belongs to it only before another digit ("in 5s." ends a sentence).
std::size_t number_end(std::string_view text, std::size_t at) {
  while (at < text.size() &&
         (is_digit(text[at]) || (text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1])))) {
    ++at;
  }
  return at;
}

std::optional<double> unit_seconds(std::string_view name) {
  for (const auto& unit : kUnits) {
    if (iequals(unit.name, name)) return unit.seconds;
  }
  return std::nullopt;
}

std::size_t skip_joint(std::string_view text, std::size_t at) {
  at = skip_spaces(text, at);
  if (at < text.size() && text[at] == ',') at = skip_spaces(text, at + 1);
  if (istarts_with(text.substr(at), "and ")) at = skip_spaces(text, at + 4);
  return at;
}

}  // namespace

std::optional<Duration> read_unit_durations(std::string_view text, std::size_t& used) {
  std::optional<double> total;
  used = 0;
  for (std::size_t at = 0;;) {
    const std::size_t digits_end = number_end(text, at);
    const auto number = parse_decimal(text.substr(at, digits_end - at));
    const std::size_t unit_begin = skip_spaces(text, digits_end);
    std::size_t unit_end = unit_begin;
    while (unit_end < text.size() && is_unit_char(text[unit_end])) ++unit_end;
    const auto scale = unit_seconds(text.substr(unit_begin, unit_end - unit_begin));
    if (!number || !scale) break;
    total = total.value_or(0) + *number * *scale;
    used = unit_end;
    at = skip_joint(text, unit_end);
  }
  return total ? duration_of_seconds(*total) : std::nullopt;
}

}  // namespace akr
