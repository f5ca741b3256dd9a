#include "core/service/path_check.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.hpp"

namespace akr {
namespace {

enum class ByteKind : unsigned char {
  kPlain,
  kSuspicious,  // may be part of a climb: look closer
  kRefused,
};

constexpr std::array<ByteKind, 256> make_byte_kinds(bool path) {
  std::array<ByteKind, 256> kinds{};
  for (std::size_t c = 0; c <= 0x20; ++c) kinds[c] = ByteKind::kRefused;
  kinds[0x7f] = ByteKind::kRefused;
  kinds['#'] = ByteKind::kRefused;
  if (!path) return kinds;
  kinds['?'] = ByteKind::kRefused;
  for (char c : {'%', '\\', ';'}) kinds[static_cast<unsigned char>(c)] = ByteKind::kSuspicious;
  for (std::size_t c = 0x80; c < 256; ++c) kinds[c] = ByteKind::kSuspicious;  // overlong forms
  return kinds;
}

constexpr auto kPathBytes = make_byte_kinds(true);
constexpr auto kQueryBytes = make_byte_kinds(false);

bool is_dots(std::string_view segment) { return segment == "." || segment == ".."; }

// '/' and '\' both end a segment; ";params" do not belong to it.
bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const auto end = path.find_first_of("/\\");
    const auto segment = path.substr(0, end);
    if (is_dots(segment.substr(0, segment.find(';')))) return true;
    if (end == std::string_view::npos) return false;
    path.remove_prefix(end + 1);
  }
  return false;
}

bool has_cutting_byte(std::string_view text) { return text.find_first_of(std::string_view("\0\r\n", 3)) != text.npos; }

bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// Decoders that do not insist on shortest forms read 0xC0 0xAE or 0xE0 0x80 0xAE as '.'.
std::string shorten_overlong(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](std::size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U; };
    const unsigned lead = at(0);
    const bool two = (lead == 0xc0 || lead == 0xc1) && is_continuation(static_cast<unsigned char>(at(1)));
    const bool three =
        lead == 0xe0 && (at(1) == 0x80 || at(1) == 0x81) && is_continuation(static_cast<unsigned char>(at(2)));
    if (two) {
      out += static_cast<char>(((lead & 1) << 6) | (at(1) & 0x3f));
      i += 1;
    } else if (three) {
      out += static_cast<char>(((at(1) & 1) << 6) | (at(2) & 0x3f));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Decodes what can be decoded: in the second round a '%' may be a plain character.
std::string decode_leniently(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto decoded = text[i] == '%' ? percent_decode(text.substr(i, 3)) : std::nullopt;
    if (decoded && decoded->size() == 1) {
      out += (*decoded)[0];
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool reading_is_harmless(std::string_view text) {
  const std::string plain = shorten_overlong(text);
  return !has_cutting_byte(plain) && !has_dot_segment(plain);
}

bool every_reading_is_harmless(std::string_view path) {
  const auto once = percent_decode(path);
  if (!once) return false;
  return reading_is_harmless(path) && reading_is_harmless(*once) && reading_is_harmless(decode_leniently(*once));
}

}  // namespace

bool path_stays_put(std::string_view path) {
  bool suspicious = false;
  for (char c : path) {
    const ByteKind kind = kPathBytes[static_cast<unsigned char>(c)];
    if (kind == ByteKind::kRefused) return false;
    suspicious |= kind == ByteKind::kSuspicious;
  }
  return suspicious ? every_reading_is_harmless(path) : !has_dot_segment(path);
}

bool query_is_clean(std::string_view query) {
  return std::none_of(query.begin(), query.end(),
                      [](char c) { return kQueryBytes[static_cast<unsigned char>(c)] == ByteKind::kRefused; });
}

}  // namespace akr
