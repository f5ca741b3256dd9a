// setting_value.hpp - how each type a setting may have is read from text and printed again.
//
// ValueText<T> has three members: parse() takes the whole text, without spaces around it; print() gives what parse()
// would read; allowed() says in both languages what a value may look like.  Secrets print as "****".
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/language.hpp"
#include "base/secret.hpp"

namespace akr {

struct ByteCount {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteCount&) const = default;
};

// http(s)://host..., without query, fragment and trailing slash, so that a path can be put behind it.
struct HttpUrl {
  std::string text;
};

template <class T>
struct ValueText;

// Exactly `true` or `false`, as the original reads RESET_DB_TABLES: "True" or "1" must not empty anybody's tables.
template <>
struct ValueText<bool> {
  static std::optional<bool> parse(std::string_view text);
  static std::string print(bool value) { return value ? "true" : "false"; }
  static Text allowed() { return {"true or false", "true 或 false"}; }
};

template <>
struct ValueText<std::uint32_t> {
  static std::optional<std::uint32_t> parse(std::string_view text);
  static std::string print(std::uint32_t value) { return std::to_string(value); }
  static Text allowed() { return {"a whole number", "整数"}; }
};

// Bytes, or with a suffix K, M or G (powers of 1024).
template <>
struct ValueText<ByteCount> {
  static std::optional<ByteCount> parse(std::string_view text);
  static std::string print(ByteCount value) { return std::to_string(value.bytes); }
  static Text allowed() { return {"bytes, also with suffix K, M or G", "字节数，可带后缀 K、M 或 G"}; }
};

// Seconds, or with a suffix ms, s, m or h.
template <>
struct ValueText<std::chrono::milliseconds> {
  static std::optional<std::chrono::milliseconds> parse(std::string_view text);
  static std::string print(std::chrono::milliseconds value);
  static Text allowed() { return {"seconds, also with suffix ms, s, m or h", "秒数，可带后缀 ms、s、m 或 h"}; }
};

template <>
struct ValueText<std::string> {
  static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
  static std::string print(const std::string& value) { return value; }
  static Text allowed() { return {"text", "文本"}; }
};

template <>
struct ValueText<HttpUrl> {
  static std::optional<HttpUrl> parse(std::string_view text);
  static std::string print(const HttpUrl& value) { return value.text; }
  static Text allowed() {
    return {"an http:// or https:// URL without user, query and fragment",
            "http:// 或 https:// URL，不含用户、查询与片段"};
  }
};

template <>
struct ValueText<Secret> {
  static std::optional<Secret> parse(std::string_view text) { return Secret(text); }
  static std::string print(const Secret& value) { return value.empty() ? "" : "****"; }
  static Text allowed() { return {"text", "文本"}; }
};

// Comma list; parts are trimmed and empty ones dropped, as in the original.
template <>
struct ValueText<std::vector<Secret>> {
  static std::optional<std::vector<Secret>> parse(std::string_view text);
  static std::string print(const std::vector<Secret>& values);
  static Text allowed() { return {"a comma-separated list", "以逗号分隔的列表"}; }
};

// An enum is a setting type if it lists its words: choices_of(T) beside the enum.  Case does not matter; the first word
// of a value is the one that is printed and documented.
template <class T>
struct Choice {
  std::string_view word;
  T value;
};

std::string join_words(const std::vector<std::string_view>& words, std::string_view last_separator);
bool same_word(std::string_view a, std::string_view b);  // ASCII case-insensitive

template <class T>
  requires std::is_enum_v<T>
struct ValueText<T> {
  static std::optional<T> parse(std::string_view text) {
    for (const Choice<T>& choice : choices_of(T{})) {
      if (same_word(choice.word, text)) return choice.value;
    }
    return std::nullopt;
  }
  static std::string print(T value) {
    for (const Choice<T>& choice : choices_of(T{})) {
      if (choice.value == value) return std::string(choice.word);
    }
    return "";
  }
  static Text allowed() {
    std::vector<std::string_view> words;
    for (const Choice<T>& choice : choices_of(T{})) words.push_back(choice.word);
    return {join_words(words, " or "), join_words(words, " 或 ")};
  }
};

}  // namespace akr
