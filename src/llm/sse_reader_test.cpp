#include "llm/sse_reader.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace akr {
namespace {

struct Event {
  std::string name, data;
  bool cut = false;
  friend bool operator==(const Event&, const Event&) = default;
};

// The pieces lie in memory of their own, which ends with them: what a view still needs must have been copied.
std::vector<Event> read(std::string_view text, std::size_t piece) {
  SseReader reader;
  std::vector<Event> events;
  const auto note = [&] {
    events.push_back({std::string(reader.event().event), std::string(reader.event().data), reader.cut()});
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::vector<char> bytes(text.begin() + static_cast<std::ptrdiff_t>(at),
                                  text.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, text.size())));
    std::string_view input(bytes.data(), bytes.size());
    while (reader.next(input)) note();
    EXPECT_TRUE(input.empty());
  }
  if (reader.finish()) note();
  return events;
}

TEST(SseReader, FindsTheSameEventsHoweverTheTextIsCut) {
  const std::string text =
      "\xef\xbb\xbf: hi\r\nevent: a\r\ndata: {\"k\":\r\ndata: 1}\r\n\r\n"
      "event: lost\n\nid: 7\nretry: 5\ndata:b\n\n\n\n"
      "data: c\revent: late\r\rdata\n\ndatax: no\n\ndata:  two\nevent: end";
  const std::vector<Event> expected = {{"a", "{\"k\":\n1}"}, {"", "b"}, {"late", "c"}, {"", ""}, {"end", " two"}};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(read(text, piece), expected) << piece;
}

TEST(SseReader, KeepsNoMoreThanItSays) {
  const std::string most(SseReader::kMostKept, 'x');
  for (const std::size_t piece : {std::size_t{100}, std::size_t{4096}, std::size_t{1} << 20}) {
    EXPECT_EQ(read("data: " + most + "\n\ndata: a\n\n", piece), (std::vector<Event>{{"", most}, {"", "a"}})) << piece;
    EXPECT_EQ(read("data: " + most + "y\n\ndata: a\n\n", piece), (std::vector<Event>{{"", most, true}, {"", "a"}}));
    EXPECT_EQ(read("data: " + most + "\ndata: y\n\n", piece), (std::vector<Event>{{"", most + "\n", true}}));
  }
}

TEST(SseReader, AnEventInOnePieceIsNotCopied) {
  const std::string text = "event: a\ndata: b\n\n";
  SseReader reader;
  std::string_view input = text;
  ASSERT_TRUE(reader.next(input));
  EXPECT_EQ(reader.event().data.data(), text.data() + text.find('b'));
  EXPECT_EQ(reader.event().event.data(), text.data() + text.find("a\n"));
}

}  // namespace
}  // namespace akr
