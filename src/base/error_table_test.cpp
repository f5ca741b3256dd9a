#include "base/error_table.hpp"

#include <map>

#include <gtest/gtest.h>

namespace akr {
namespace {

// Three switches over the codes disagreed: all_keys_cooling was 429 or 503, a conflict of access keys 400 or 401.
TEST(ErrorTable, EveryCodeHasOneRowWithTextsInBothLanguages) {
  std::map<std::string_view, int> named;
  for (const ErrorRow& row : error_table()) {
    EXPECT_EQ(&row_of(row.code), &row);
    EXPECT_EQ(to_string(row.code), row.name);
    EXPECT_EQ(error_table()[row_named(row.name)].name, row.name);
    EXPECT_GE(row.status, 400) << row.name;
    EXPECT_LT(row.status, 600) << row.name;
    for (const Phrase& text : {row.title, row.meaning}) {
      EXPECT_FALSE(text.en.empty()) << row.name;
      EXPECT_FALSE(text.zh.empty()) << row.name;
    }
    EXPECT_TRUE(row.meaning.en.ends_with('.')) << row.name;
    EXPECT_TRUE(row.meaning.zh.ends_with("。")) << row.name;
    ++named[row.name];
  }
  for (const auto& [name, rows] : named) EXPECT_EQ(rows, name == "invalid_proxy_key" ? 2 : 1) << name;
  EXPECT_EQ(row_of(ErrorCode::kAllKeysCooling).status, 429);
  EXPECT_EQ(row_of(ErrorCode::kAccessKeyConflict).status, 400);
}

// Messages had two voices, whoever read them.
TEST(ErrorTable, PeopleAreToldWholeSentencesAndLogsHaveNone) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"the client left", "The client left."},
      {"no, it's not: never", "No, it's not: never."},
      {"max_attempts is 1 to 10", "max_attempts is 1 to 10."},
      {"TLS failed", "TLS failed"},
      {"", ""},
  };
  for (const auto& [log, people] : rows) {
    EXPECT_EQ(for_people(log), people);
    EXPECT_EQ(for_people(people), people);
    EXPECT_EQ(for_logs(people), log);
    EXPECT_EQ(for_logs(log), log);
  }
  EXPECT_EQ(for_people("what is it?"), "What is it?");
  EXPECT_EQ(for_people(Error{ErrorCode::kInternal, "a fault"}).message, "A fault.");
}

TEST(ErrorTable, IsWrittenForTheDocumentation) {
  for (const Language language : {Language::kEnglish, Language::kChinese}) {
    const std::string text = errors_markdown(language);
    for (const ErrorRow& row : error_table()) {
      EXPECT_NE(text.find(row.name), std::string::npos);
      EXPECT_NE(text.find(row.meaning.in(language)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace akr
