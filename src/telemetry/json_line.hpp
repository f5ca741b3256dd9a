// json_line.hpp - appends one flat JSON object to a string without allocation of its own.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace akr {

class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }
  // `name` needs no escaping.
  JsonLine& text(std::string_view name, std::string_view value) {
    member(name);
    out_ += '"';
    append_escaped(value);
    out_ += '"';
    return *this;
  }
  JsonLine& number(std::string_view name, std::int64_t value) {
    member(name);
    append_number(value);
    return *this;
  }
  // Microseconds as milliseconds with three digits: 1234 -> 1.234.
  JsonLine& millis(std::string_view name, std::int64_t micros) {
    member(name);
    append_number(micros / 1000);
    const auto rest = static_cast<int>(micros % 1000);
    const char digits[4] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                            static_cast<char>('0' + rest % 10)};
    out_.append(digits, 4);
    return *this;
  }
  JsonLine& boolean(std::string_view name, bool value) {
    member(name);
    out_ += value ? "true" : "false";
    return *this;
  }
  void end() { out_ += "}\n"; }

 private:
  void member(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }
  void append_number(std::int64_t value) {
    char digits[24];
    out_.append(digits, static_cast<std::size_t>(std::to_chars(digits, digits + 24, value).ptr - digits));
  }
  // One event = one line: control characters, quotes, backslashes and bytes that are not ASCII are escaped (E-61).
  void append_escaped(std::string_view value) {
    for (std::size_t at = 0; at < value.size();) {
      std::size_t plain = at;
      while (plain < value.size() && is_plain(value[plain])) ++plain;
      out_.append(value, at, plain - at);
      if (plain < value.size()) append_escape(value[plain++]);
      at = plain;
    }
  }
  static bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }
  void append_escape(char c) {
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out_ += "\\u00";
    out_ += kHex[byte >> 4];
    out_ += kHex[byte & 15];
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace akr
