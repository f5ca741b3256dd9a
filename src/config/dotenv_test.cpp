#include "config/dotenv.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

std::string value(std::string_view text, std::string_view name = "A") {
  const auto variables = parse_dotenv(text);
  if (!variables) return "error: " + variables.error().message;
  const auto found = variables->find(name);
  return found == variables->end() ? "(none)" : found->second;
}

TEST(Dotenv, PlainValuesAreTrimmedAndEndAtAComment) {
  EXPECT_EQ(value("A=1"), "1");
  EXPECT_EQ(value("A = 1 2 "), "1 2");
  EXPECT_EQ(value("A=1 # one"), "1");
  EXPECT_EQ(value("A=1#one"), "1#one");
  EXPECT_EQ(value("A=#none"), "");
  EXPECT_EQ(value("A="), "");
  EXPECT_EQ(value("A=x=y"), "x=y");
}

TEST(Dotenv, QuotesKeepSpacesAndHashes) {
  EXPECT_EQ(value("A=' # x\\n '"), " # x\\n ");
  EXPECT_EQ(value("A=\"a\\nb\\t\\\"\\\\\\$\""), "a\nb\t\"\\$");
  EXPECT_EQ(value("A='x' # comment"), "x");
  EXPECT_EQ(value("A=\"it's\""), "it's");
}

TEST(Dotenv, NothingIsExpanded) {
  EXPECT_EQ(value("B=1\nA=pa$$word$B${B}"), "pa$$word$B${B}");
  EXPECT_EQ(value("B=1\nA=\"${B}\""), "${B}");
}

TEST(Dotenv, WindowsLineEndsExportBlankLinesAndByteOrderMark) {
  EXPECT_EQ(value("\xef\xbb\xbf# head\r\n\r\nexport A=1\r\nB='2'\r\n"), "1");
  EXPECT_EQ(value("\xef\xbb\xbf"
                  "A=1"),
            "1");
  EXPECT_EQ(value("export\tA=1"), "1");
  EXPECT_EQ(value("exported=1", "exported"), "1");
}

TEST(Dotenv, TheLastOfTwoWins) { EXPECT_EQ(value("A=1\nA=2"), "2"); }

TEST(Dotenv, WrongLinesNameTheirNumberAndNotTheirContent) {
  for (const char* wrong : {"\nsecret-without-name", "\n=secret", "\n1A=secret", "\nA='secret", "\nA=\"secret",
                            "\nA='secret' more", "\nA B=secret"}) {
    const auto variables = parse_dotenv(wrong);
    ASSERT_FALSE(variables) << wrong;
    EXPECT_NE(variables.error().message.find("line 2"), std::string::npos) << variables.error().message;
    EXPECT_EQ(variables.error().message.find("secret"), std::string::npos) << variables.error().message;
  }
}

}  // namespace
}  // namespace akr
