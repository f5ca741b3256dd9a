// json_line.hpp - writes one flat JSON object into memory that is known to be large enough.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/utf8.hpp"

namespace akr {

// REQUIRES of the caller: room for worst_case() bytes of every value, the names, and 4 bytes per member.
class JsonLine {
 public:
  // Room that a text of this size may need.
  static constexpr std::size_t worst_case(std::size_t size) { return size * 6; }

  explicit JsonLine(char* at) : at_(at) { *at_++ = '{'; }

  // `name` comes with its punctuation: R"("status":)".
  template <std::size_t N>
  JsonLine& text(const char (&name)[N], std::string_view value) {
    member(name);
    *at_++ = '"';
    append_escaped(value);
    *at_++ = '"';
    return *this;
  }
  // A text that cannot hold anything to escape: a token, hex digits, a code of our own.
  template <std::size_t N>
  JsonLine& plain(const char (&name)[N], std::string_view value) {
    member(name);
    *at_++ = '"';
    append(value);
    *at_++ = '"';
    return *this;
  }
  template <std::size_t N>
  JsonLine& number(const char (&name)[N], std::uint64_t value) {
    member(name);
    at_ = std::to_chars(at_, at_ + 24, value).ptr;
    return *this;
  }
  // Microseconds as milliseconds with three digits: 1234 -> 1.234.
  template <std::size_t N>
  JsonLine& millis(const char (&name)[N], std::uint64_t micros) {
    number(name, micros / 1000);
    const auto rest = static_cast<unsigned>(micros % 1000);
    *at_++ = '.';
    *at_++ = static_cast<char>('0' + rest / 100);
    *at_++ = static_cast<char>('0' + rest / 10 % 10);
    *at_++ = static_cast<char>('0' + rest % 10);
    return *this;
  }
  // A value that is JSON already.
  template <std::size_t N>
  JsonLine& json(const char (&name)[N], std::string_view value) {
    member(name);
    append(value);
    return *this;
  }
  template <std::size_t N>
  JsonLine& literal(const char (&member_text)[N]) {
    member(member_text);
    return *this;
  }
  // Past the line's end.
  char* end() {
    *at_++ = '}';
    *at_++ = '\n';
    return at_;
  }

 private:
  template <std::size_t N>
  void member(const char (&name)[N]) {
    if (!first_) *at_++ = ',';
    first_ = false;
    std::memcpy(at_, name, N - 1);
    at_ += N - 1;
  }
  void append(std::string_view value) {
    if (value.empty()) return;
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  // One event = one line: control characters, quotes and backslashes are escaped (E-61).  Other characters stand as
  // they are; bytes that are none become U+FFFD.
  void append_escaped(std::string_view value) {
    while (!value.empty()) {
      value.remove_prefix(append_plain_words(value));
      while (!value.empty() && kPlain[static_cast<unsigned char>(value.front())]) {
        *at_++ = value.front();
        value.remove_prefix(1);
      }
      if (!value.empty()) value.remove_prefix(append_special(value));
    }
  }
  // Eight characters at a time, as long as nothing in them is to be escaped; how many.
  std::size_t append_plain_words(std::string_view value) {
    std::size_t done = 0;
    for (; done + 8 <= value.size(); done += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, value.data() + done, 8);
      if (!is_plain(word)) break;
      std::memcpy(at_, &word, 8);
      at_ += 8;
    }
    return done;
  }
  // Is each of the eight bytes printable ASCII, and none of them '"' or '\\'?  (After "Hacker's Delight" 6-1: a byte
  // of x is zero if (x - 0x01..) & ~x has its high bit.)
  static bool is_plain(std::uint64_t word) {
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    constexpr std::uint64_t kHigh = 0x8080808080808080ULL;
    const auto has = [word](char c) {
      const std::uint64_t other = word ^ (kOnes * static_cast<unsigned char>(c));
      return (other - kOnes) & ~other;
    };
    const std::uint64_t below_space = word - kOnes * 0x20;
    return ((word | below_space | has('"') | has('\\') | has(0x7f)) & kHigh) == 0;
  }
  std::size_t append_special(std::string_view value) {
    if (static_cast<unsigned char>(value.front()) >= 0x80) return append_character(value);
    append_escape(value.front());
    return 1;
  }
  std::size_t append_character(std::string_view value) {
    const std::size_t length = utf8_character(value);
    if (length == 0) {
      append("\xef\xbf\xbd");
      return 1;
    }
    // C1 controls (U+0080 to U+009F) move a terminal's cursor just as C0 do.
    const bool control = value[0] == '\xc2' && static_cast<unsigned char>(value[1]) < 0xa0;
    if (control) append_escape(value[1]);
    if (!control) append(value.substr(0, length));
    return length;
  }
  void append_escape(char c) {
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    append("\\u00");
    *at_++ = kHex[byte >> 4];
    *at_++ = kHex[byte & 15];
  }

  // Printable ASCII but '"' and '\\'.
  static constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain = {};
    for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
    return plain;
  }();

  char* at_;
  bool first_ = true;
};

}  // namespace akr
