// The access log wrote bytes beyond ASCII as \u00XX each: "ü" became two other characters, and nothing was told from
// bytes that are no text at all.
#include "telemetry/json_line.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace akr {
namespace {

std::string line_of(std::string_view value) {
  std::string room(JsonLine::worst_case(value.size()) + 64, '\0');
  char* const end = JsonLine(room.data()).text(R"("text":)", value).end();
  room.resize(static_cast<std::size_t>(end - room.data()));
  return room;
}

TEST(JsonLine, CharactersStandAsTheyAre) { EXPECT_EQ(line_of("ü 密 🔑"), "{\"text\":\"ü 密 🔑\"}\n"); }

TEST(JsonLine, ControlsAreEscapedAndBadBytesReplaced) {
  EXPECT_EQ(line_of("a\n\x7f\"\\"), "{\"text\":\"a\\u000a\\u007f\\u0022\\u005c\"}\n");
  EXPECT_EQ(line_of("\xc2\x9b[2J"), "{\"text\":\"\\u009b[2J\"}\n");  // a terminal's escape sequence in C1
  EXPECT_EQ(line_of("\xff密\xe5"), "{\"text\":\"\xef\xbf\xbd密\xef\xbf\xbd\"}\n");
}

TEST(JsonLine, EveryByteIsSeenAtEveryPlaceOfALongText) {
  for (int c = 0; c < 0x80; ++c) {
    for (std::size_t at = 0; at < 17; ++at) {
      std::string value(17, 'x');
      value[at] = static_cast<char>(c);
      const auto parsed = boost::json::parse(line_of(value));
      ASSERT_EQ(parsed.at("text").as_string(), value) << c << " at " << at;
      const bool escaped = c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
      ASSERT_EQ(line_of(value).size(), line_of(std::string(17, 'x')).size() + (escaped ? 5 : 0));
    }
  }
}

TEST(JsonLine, AnyBytesMakeOneLineOfJson) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string line = line_of(all);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_NO_THROW(boost::json::parse(line));
}

}  // namespace
}  // namespace akr
