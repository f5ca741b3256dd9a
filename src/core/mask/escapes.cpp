#include "core/mask/escapes.hpp"

#include <algorithm>
#include <optional>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostBackslashes = 7;  // three texts in one another
constexpr std::size_t kMostPercents = 3;     // "%2525xx"
constexpr std::size_t kLongestReference = 9;

std::optional<std::uint32_t> hex_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

void read_percent(std::string_view text, Readings& readings) {
  std::array<Reading, kMostPercents> found = {};
  std::size_t count = 0;
  for (std::size_t at = 1; count < kMostPercents; at += 2) {
    const auto byte = hex_at(text, at, 2);
    if (!byte) break;
    found[count++] = {*byte, static_cast<std::uint8_t>(at + 2)};
    if (*byte != '%') break;
  }
  while (count > 0) readings.all[readings.count++] = found[--count];
}

// "\/", "\"", "\u002d", and the same with the backslash itself escaped.
void read_backslashes(std::string_view text, Readings& readings) {
  const std::size_t run = std::min(text.find_first_not_of('\\'), text.size());
  if (run <= kMostBackslashes && run < text.size()) {
    const char c = text[run];
    const auto code = c == 'u' ? hex_at(text, run + 1, 4) : std::nullopt;
    if (code) readings.add(*code, run + 5);
    if (!is_word(c)) readings.add(static_cast<unsigned char>(c), run + 1);
  }
  if (run >= 2) readings.add('\\', 2);
}

void read_reference(std::string_view text, Readings& readings) {
  const std::size_t end = text.substr(0, kLongestReference + 1).find(';');
  if (end == std::string_view::npos || end < 3) return;
  const std::string_view name = text.substr(1, end - 1);
  if (name[0] == '#') {
    const bool hex = ascii_lower(name[1]) == 'x';
    std::optional<std::uint64_t> code = hex ? std::nullopt : parse_u64(name.substr(1));
    if (hex && name.size() > 2) code = hex_at(name, 2, name.size() - 2);
    if (code) readings.add(static_cast<std::uint32_t>(*code), end + 1);
    return;
  }
  constexpr std::pair<std::string_view, char> kNames[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, c] : kNames) {
    if (name == known) readings.add(static_cast<unsigned char>(c), end + 1);
  }
}

bool is_word_code(std::uint32_t code) { return code < 0x80 && is_word(static_cast<char>(code)); }

}  // namespace

bool is_word(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

Readings read_escape(std::string_view text) {
  Readings readings;
  if (text.front() == '%') read_percent(text, readings);
  if (text.front() == '\\') read_backslashes(text, readings);
  if (text.front() == '&') read_reference(text, readings);
  return readings;
}

bool word_before(std::string_view text, std::size_t at) {
  if (at == 0 || !is_word(text[at - 1])) return false;
  if (at >= 3 && text[at - 3] == '%') {
    if (const auto byte = hex_at(text, at - 2, 2)) return is_word_code(*byte);
  }
  if (at >= 6 && text[at - 6] == '\\' && text[at - 5] == 'u') {
    if (const auto code = hex_at(text, at - 4, 4)) return is_word_code(*code);
  }
  constexpr std::string_view kControls = "bfnrt";  // "\n" before the key
  return !(at >= 2 && text[at - 2] == '\\' && kControls.find(text[at - 1]) != std::string_view::npos);
}

}  // namespace akr
