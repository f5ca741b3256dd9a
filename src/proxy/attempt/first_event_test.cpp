#include "proxy/attempt/first_event.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(FirstEvent, CommentsAndEmptyEventsArePassedOver) {
  FirstEvent first;
  ASSERT_TRUE(
      first.scan(": hello\n\nid: 7\n\nevent: ping\n\nevent: error\ndata: {\"a\":1}\ndata:2\n\ndata: later\n\n"));
  EXPECT_EQ(first.event().event, "error");
  EXPECT_EQ(first.event().data, "{\"a\":1}\n2");
}

TEST(FirstEvent, AnEventThatOnlyHadANameLendsItToNobody) {
  FirstEvent first;
  ASSERT_TRUE(first.scan("event: error\n\ndata: fine\n\n"));
  EXPECT_EQ(first.event().event, "");
}

TEST(FirstEvent, AByteOrderMarkAndAllLineEndsAreUnderstood) {
  for (const std::string_view text : {"\xef\xbb\xbf"
                                      "data: x\n\n",
                                      "data: x\r\rdata: y\r\r", "data: x\r\n\r\n"}) {
    FirstEvent first;
    ASSERT_TRUE(first.scan(text)) << text;
    EXPECT_EQ(first.event().data, "x");
  }
}

TEST(FirstEvent, IsFoundAtTheSameByteHoweverTheTextIsCut) {
  const std::string text = ": c\r\nevent: message\r\ndata: {\"k\":\r\ndata: 1}\r\n\r\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    FirstEvent first;
    bool found = false;
    for (std::size_t size = step; !found && size < text.size() + step; size += step) {
      const auto upto = std::string_view(text).substr(0, size);
      found = first.scan(upto);
      if (found) {
        EXPECT_GE(upto.size() + 1, text.size());
      }
    }
    ASSERT_TRUE(found) << step;
    EXPECT_EQ(first.event().event, "message");
    EXPECT_EQ(first.event().data, "{\"k\":\n1}");
  }
}

TEST(FirstEvent, AnUnfinishedEventIsNotThere) {
  FirstEvent first;
  EXPECT_FALSE(first.scan("data: {\"error\":1}\n"));
  EXPECT_FALSE(first.scan("data: {\"error\":1}\ndata"));
}

TEST(FirstEvent, GoesOnWithTheNextEvent) {
  const std::string text = "data: a\r\n\r\n: comment\n\nevent: x\ndata: b\ndata: c\n\ndata: d";
  FirstEvent event;
  ASSERT_TRUE(event.scan(text));
  EXPECT_EQ(event.event().data, "a");
  event.next();
  ASSERT_TRUE(event.scan(text));
  EXPECT_EQ(event.event().event, "x");
  EXPECT_EQ(event.event().data, "b\nc");
  event.next();
  EXPECT_FALSE(event.scan(text));
  EXPECT_TRUE(event.scan(text + "\n\n"));
  EXPECT_EQ(event.event().data, "d");
}

}  // namespace
}  // namespace akr
