#include "core/text_rules.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::string_view kAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool consists_of(std::string_view text, std::string_view extra) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return kAlphanumeric.find(c) != std::string_view::npos || extra.find(c) != std::string_view::npos;
  });
}

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

// Length of the UTF-8 sequence at the front of `text`, 0 if there is none.  Table 3-7 of the Unicode standard.
std::size_t sequence_length(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  const unsigned second = byte_at(text, 1);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  if (length == 0 || second < low || second > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Are there at least two non-empty parts, all of `minimum` bytes or more?
bool is_joined_list(std::string_view text, char separator, std::size_t minimum) {
  std::size_t parts = 0;
  for (auto part : split(text, separator)) {
    part = trim(part);
    if (part.empty()) continue;
    if (part.size() < minimum) return false;
    ++parts;
  }
  return parts >= 2;
}

}  // namespace

std::optional<std::size_t> utf8_length(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return std::nullopt;
    text.remove_prefix(length);
    ++count;
  }
  return count;
}

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned c = byte_at(text, i);
    const bool c1 = c == 0xc2 && byte_at(text, i + 1) >= 0x80 && byte_at(text, i + 1) < 0xa0;
    if (c < 0x20 || c == 0x7f || c1) return true;
  }
  return false;
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool is_token(std::string_view text) { return consists_of(text, "!#$%&'*+-.^_`|~"); }
bool is_query_name(std::string_view text) { return consists_of(text, "-._~[]$!*'()@:/"); }

bool is_slug(std::string_view text) {
  return consists_of(text, "._-") && text.size() <= 100 && text != "." && text != "..";
}

bool looks_like_list_of_keys(std::string_view text) {
  // Eight: longer than any scheme word in use, shorter than any key.
  return is_joined_list(text, ' ', 8) || is_joined_list(text, ',', 4);
}

}  // namespace akr
