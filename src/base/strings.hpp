// strings.hpp - small text functions on ASCII, without locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace akr {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool iequals(std::string_view a, std::string_view b);               // ASCII case-insensitive
bool istarts_with(std::string_view text, std::string_view prefix);  // ASCII case-insensitive
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
std::string_view trim(std::string_view text);                                // space, tab, CR, LF
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts

// Of a field's value: "Application/JSON ; charset=utf-8" -> "Application/JSON"
inline std::string_view media_type(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type.substr(0, type.find_last_not_of(" \t") + 1);
}

// Nothing but digits; also "".
inline bool is_digits(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }

// Takes the first part of a text that `separator` divides, and the separator behind it.  Without one: all there is.
inline std::string_view take_part(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

// 0 to 15; -1: it is no hex digit.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The whole of `text` as a decimal number without sign, spaces or leading '+'.  nullopt also on overflow.
std::optional<std::uint64_t> parse_u64(std::string_view text);

// %XX for everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);
// Appends `text` as a segment of a path, or a part of one: %XX for everything but RFC 3986 pchar, so that "123:abc"
// stays what it is and a '/' does not divide it.
void append_path_segment(std::string_view text, std::string& out);
// nullopt if a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);

// 8 hex digits that stand for a secret in logs and metrics: keyed BLAKE2b under a key of this process's data
// directory (set once by set_fingerprint_key; a fixed context before that).
std::string fingerprint(std::string_view secret);
// `key`: 16 to 64 bytes; a subkey is derived from it.
void set_fingerprint_key(std::string_view key);

}  // namespace akr
