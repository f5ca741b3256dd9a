#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace akr {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t kLongestCharacter = 4;

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

// How many bytes at the front are ASCII for sure; looks at eight at a time.
std::size_t ascii_run(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  return at;
}

// The first byte that is no part of a valid character; text.size() if there is none.
std::size_t first_bad(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    at += ascii_run(text.substr(at));
    if (at == text.size()) break;
    const std::size_t length = utf8_character(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

}  // namespace

// Table 3-7 of the Unicode standard.
std::size_t utf8_character(std::string_view text) {
  if (text.empty()) return 0;
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

bool is_utf8(std::string_view text) { return first_bad(text) == text.size(); }

std::string valid_utf8(std::string text) {
  std::size_t good = first_bad(text);
  if (good == text.size()) return text;
  std::string out;
  std::string_view rest = text;
  for (;;) {
    out += rest.substr(0, good);
    rest.remove_prefix(good);
    if (rest.empty()) return out;
    out += kReplacement;
    while (!rest.empty() && utf8_character(rest) == 0) rest.remove_prefix(1);
    good = first_bad(rest);
  }
}

std::string_view cut_utf8(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  // Back to the lead byte of a character that crosses the end; what is no character is cut anywhere.
  for (std::size_t back = 1; back < kLongestCharacter && back <= most; ++back) {
    const std::size_t length = utf8_character(text.substr(most - back));
    if (length > back) end = most - back;
    if (length > 0) break;
  }
  return text.substr(0, end);
}

}  // namespace akr
