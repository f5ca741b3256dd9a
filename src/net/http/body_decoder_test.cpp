#include "net/http/body_decoder.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace akr::net {
namespace {

using Event = BodyDecoder::Event;

class BodyDecoderTest : public testing::Test {
 protected:
  BodyDecoder& start(const std::string& fields, bool to_head_request = false) {
    text_ = "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
    EXPECT_EQ(head_.parse_response(text_, to_head_request), ParseStatus::kDone);
    decoder_.start(head_);
    return decoder_;
  }
  // All that `input` gives; it keeps what was not taken.
  std::string take(std::string_view& input) {
    std::string all;
    std::string_view data;
    while ((last_ = decoder_.next(input, data)) == Event::kData) all += data;
    return all;
  }
  std::string text_;
  MessageHead head_;
  BodyDecoder decoder_;
  Event last_ = Event::kNeedMore;
};

TEST_F(BodyDecoderTest, LengthTakesExactlySoMuch) {
  start("Content-Length: 5\r\n");
  std::string_view input = "abc";
  EXPECT_EQ(take(input), "abc");
  EXPECT_EQ(last_, Event::kNeedMore);
  EXPECT_FALSE(decoder_.end_of_stream());
  input = "deHTTP/1.1 200 smuggled";
  EXPECT_EQ(take(input), "de");
  EXPECT_EQ(last_, Event::kEnd);
  EXPECT_EQ(input, "HTTP/1.1 200 smuggled");
  EXPECT_TRUE(decoder_.finished());
}

TEST_F(BodyDecoderTest, ChunksLoseTheirFraming) {
  start("Transfer-Encoding: chunked\r\n");
  std::string_view input = "3\r\nabc\r\n0\r\n";
  EXPECT_EQ(take(input), "abc");
  EXPECT_FALSE(decoder_.finished());
  EXPECT_FALSE(decoder_.end_of_stream());
  input = "\r\nx";
  EXPECT_EQ(take(input), "");
  EXPECT_EQ(last_, Event::kEnd);
  EXPECT_TRUE(decoder_.end_of_stream());
  EXPECT_EQ(input, "x");
}

TEST_F(BodyDecoderTest, BrokenChunksAreAnError) {
  start("Transfer-Encoding: chunked\r\n");
  std::string_view input = "3\r\nabcd";
  EXPECT_EQ(take(input), "abc");
  EXPECT_EQ(last_, Event::kError);
  EXPECT_FALSE(decoder_.finished());
}

TEST_F(BodyDecoderTest, WithoutFramingTheEndOfTheStreamCompletesIt) {
  start("");
  std::string_view input = "abc";
  EXPECT_EQ(take(input), "abc");
  EXPECT_FALSE(decoder_.finished());
  EXPECT_TRUE(decoder_.end_of_stream());
  EXPECT_TRUE(decoder_.finished());
}

TEST_F(BodyDecoderTest, NoBodyIsFinishedAtOnce) {
  EXPECT_TRUE(start("Content-Length: 0\r\n").finished());
  EXPECT_TRUE(start("Content-Length: 9\r\n", true).finished());
  std::string_view input = "next";
  std::string_view data;
  EXPECT_EQ(decoder_.next(input, data), Event::kEnd);
  EXPECT_EQ(input, "next");
}

TEST_F(BodyDecoderTest, StartsAnew) {
  start("Transfer-Encoding: chunked\r\n");
  std::string_view input = "zz";
  take(input);
  start("Content-Length: 1\r\n");
  input = "a";
  EXPECT_EQ(take(input), "a");
  EXPECT_TRUE(decoder_.finished());
}

}  // namespace
}  // namespace akr::net
