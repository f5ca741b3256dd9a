// escapes.hpp - how one character may be written inside of URLs, JSON, HTML and base64: for KeyMask and KeyFilter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace akr {

// What stands at the front of a text may mean.
struct Reading {
  std::uint32_t code = 0;   // a byte or a code point
  std::uint8_t length = 0;  // of the text, in bytes
};

struct Readings {
  std::array<Reading, 3> all = {};
  std::size_t count = 0;
  void add(std::uint32_t code, std::size_t length) { all[count++] = {code, static_cast<std::uint8_t>(length)}; }
};

// Does an escape begin with `c`?
constexpr bool begins_escape(char c) { return c == '%' || c == '\\' || c == '&'; }

// The readings of an escape at the front of `text`, the deepest first; none if there is no complete one.
Readings read_escape(std::string_view text);

// Does what stands before `at` end in a letter or a digit, as its reader would see it?
bool word_before(std::string_view text, std::size_t at);

bool is_word(char c);  // letter or digit

constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Six bits of `text` from bit `at` on; those behind its end are 0.
constexpr unsigned six_bits(std::string_view text, std::size_t at) {
  const std::size_t byte = at / 8;
  const unsigned low = byte + 1 < text.size() ? static_cast<unsigned char>(text[byte + 1]) : 0;
  const unsigned both = static_cast<unsigned>(static_cast<unsigned char>(text[byte])) << 8 | low;
  return both >> (10 - at % 8) & 63;
}

}  // namespace akr
