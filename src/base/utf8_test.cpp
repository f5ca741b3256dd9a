// Text of ours is valid UTF-8: what is cut is cut between characters, what is foreign and broken is replaced.
#include "base/utf8.hpp"

#include <random>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/json_text.hpp"

namespace akr {
namespace {

TEST(Utf8, ValidTextStaysAsItIs) {
  for (const char* text : {"", "a", "ascii, and long enough for a word", "grün", "密钥", "🔑🔑", "\xef\xbf\xbd"}) {
    EXPECT_TRUE(is_utf8(text));
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Utf8, ARunOfBadBytesBecomesOneReplacement) {
  EXPECT_EQ(valid_utf8("a\x80\x80z"), "a\xef\xbf\xbdz");
  EXPECT_EQ(valid_utf8("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(valid_utf8("12345678\xe5\xaf"), "12345678\xef\xbf\xbd");
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\xef\xbf\xbd");      // a surrogate
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "\xef\xbf\xbd");          // an overlong slash
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), "\xef\xbf\xbd");  // beyond U+10FFFF
  EXPECT_EQ(valid_utf8("\xff密\xff"), "\xef\xbf\xbd密\xef\xbf\xbd");
}

TEST(Utf8, ACutNeverSplitsACharacter) {
  const std::string text = "a密🔑z";  // 1 + 3 + 4 + 1 bytes
  const std::string_view expected[] = {"", "a", "a", "a", "a密", "a密", "a密", "a密", "a密🔑", "a密🔑z"};
  for (std::size_t most = 0; most <= text.size(); ++most) EXPECT_EQ(cut_utf8(text, most), expected[most]) << most;
  EXPECT_EQ(cut_utf8(text, 100), text);
  EXPECT_EQ(cut_utf8("\x80\x80\x80\x80", 2).size(), 2U);
}

TEST(Utf8, AnyBytesBecomeValid) {
  std::mt19937 random(7);  // NOLINT: the same bytes in every run
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() : 0xc0 + random() % 64);
    const std::string mended = valid_utf8(text);
    ASSERT_TRUE(is_utf8(mended));
    ASSERT_TRUE(is_utf8(cut_utf8(mended, random() % 50)));
  }
}

TEST(Utf8, JsonOfForeignBytesParses) {
  boost::json::object object;
  object["message"] = "quota \x1f\x8b\xff exceeded";
  object["grün"] = "密";
  const std::string text = json_text(object);
  const auto parsed = boost::json::parse(text).as_object();  // strict about UTF-8
  EXPECT_EQ(parsed.at("grün").as_string(), "密");
  EXPECT_EQ(parsed.at("message").as_string(), "quota \x1f\xef\xbf\xbd exceeded");
}

}  // namespace
}  // namespace akr
