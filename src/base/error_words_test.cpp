// The words of errors, at the edges where a rule about words meets text that is none.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error_table.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

TEST(ErrorWords, NamesKeepTheirLetters) {
  EXPECT_EQ(for_people("a.b is no host"), "a.b is no host.");
  EXPECT_EQ(for_people("max-age is too long"), "max-age is too long.");
  EXPECT_EQ(for_people("cooldown2 is unknown"), "cooldown2 is unknown.");
  EXPECT_EQ(for_people("'slug' is taken"), "'slug' is taken.");
  EXPECT_EQ(for_people("\"x\" is taken"), "\"x\" is taken.");
  EXPECT_EQ(for_people("7 keys are left"), "7 keys are left.");
  EXPECT_EQ(for_logs("X-Proxy-Key is missing."), "X-Proxy-Key is missing");
  EXPECT_EQ(for_logs("MAX_BODY_SIZE is too small."), "MAX_BODY_SIZE is too small");
}

// A sentence of one word kept its capital in logs: its full stop was taken for a part of the word.
TEST(ErrorWords, OneWordAndOneLetterAreSentencesToo) {
  EXPECT_EQ(for_people("unknown"), "Unknown.");
  EXPECT_EQ(for_people("x"), "X.");
  EXPECT_EQ(for_logs("Unknown."), "unknown");
  EXPECT_EQ(for_logs("."), "");
  EXPECT_EQ(for_logs(""), "");
}

TEST(ErrorWords, WhatEndsASentenceIsNotDoubled) {
  EXPECT_EQ(for_people("it failed."), "It failed.");
  EXPECT_EQ(for_people("it failed!"), "It failed!");
  EXPECT_EQ(for_people("it goes on..."), "It goes on...");
  EXPECT_EQ(for_logs("It goes on..."), "it goes on...");  // three dots say something
  EXPECT_EQ(for_logs("Did it fail?"), "did it fail?");
}

// Messages of providers are passed through them, in any language and of any bytes.
TEST(ErrorWords, OtherBytesAreLeftAlone) {
  EXPECT_EQ(for_people("\xe9\x85\x8d\xe9\xa2\x9d"), "\xe9\x85\x8d\xe9\xa2\x9d.");
  EXPECT_EQ(for_logs("\xc3\x89puis\xc3\xa9."), "\xc3\x89puis\xc3\xa9");
  const std::string odd("\0\xff", 2);
  EXPECT_EQ(for_logs(odd), odd);
}

TEST(ErrorWords, TheErrorKeepsAllButItsWords) {
  const Error error = for_people({.code = ErrorCode::kConflict, .message = "slug is taken", .field = "slug"});
  EXPECT_EQ(error.code, ErrorCode::kConflict);
  EXPECT_EQ(error.message, "Slug is taken.");
  EXPECT_EQ(error.field, "slug");
}

TEST(ErrorWords, EveryErrorIsOneRowOfFiveCells) {
  for (const Language language : {Language::kEnglish, Language::kChinese}) {
    const std::string text = errors_markdown(language);
    ASSERT_TRUE(text.ends_with("|\n"));
    const auto lines = split(std::string_view(text).substr(0, text.size() - 1), '\n');
    EXPECT_EQ(lines.size(), error_table().size() + 2);
    for (const std::string_view line : lines) {
      EXPECT_TRUE(line.starts_with('|') && line.ends_with('|')) << line;
      EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 6) << line;
    }
  }
}

}  // namespace
}  // namespace akr
