// language.hpp - the two languages of the documentation, and words that stand in both.
#pragma once

#include <string>
#include <string_view>

namespace akr {

enum class Language { kEnglish, kChinese };

// The same words in both languages.
struct Text {
  std::string en;
  std::string zh;

  const std::string& in(Language language) const { return language == Language::kChinese ? zh : en; }
};

// The same, for constants.
struct Phrase {
  std::string_view en;
  std::string_view zh;

  constexpr std::string_view in(Language language) const { return language == Language::kChinese ? zh : en; }
  constexpr bool empty() const { return en.empty(); }
};

}  // namespace akr
