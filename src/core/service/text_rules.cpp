#include "core/service/text_rules.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "base/utf8.hpp"

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
    const std::size_t length = utf8_character(text);
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
