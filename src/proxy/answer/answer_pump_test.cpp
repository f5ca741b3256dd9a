#include "proxy/answer/answer_pump.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

class AnswerPumpTest : public testing::Test {
 protected:
  AnswerPump& start(const std::string& fields, Framing framing) {
    text_ = "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
    EXPECT_EQ(head_.parse_response(text_, false), net::ParseStatus::kDone);
    body_.start(head_);
    pump_ = std::make_unique<AnswerPump>(body_, framing);
    return *pump_;
  }
  // All that goes down for this piece; "BROKEN" if its framing is.
  std::string feed(std::string_view input) {
    std::string down;
    while (!input.empty() && !pump_->done()) {
      net::Outgoing out;
      if (!pump_->feed(input, out)) return down + "BROKEN";
      down += text_of(out);
    }
    rest_ = input;
    return down;
  }
  std::string end() {
    net::Outgoing out;
    if (!pump_->end_of_stream(out)) return "CUT";
    return text_of(out);
  }
  static std::string text_of(net::Outgoing& out) {
    std::string text;
    out.hold(text);
    return text;
  }

  std::string text_;
  net::MessageHead head_;
  net::BodyDecoder body_;
  std::unique_ptr<AnswerPump> pump_;
  std::string_view rest_;
};

const std::string kChunked = "Transfer-Encoding: chunked\r\n";

TEST_F(AnswerPumpTest, CanonicalChunksGoDownAsTheyAre) {
  start(kChunked, Framing::kChunked);
  const std::string input = "3\r\nabc\r\n10\r\n0123456789abcde\n\r\n";
  net::Outgoing out;
  std::string_view left = input;
  ASSERT_TRUE(pump_->feed(left, out));
  EXPECT_EQ(out.room(), net::Outgoing::kMaxParts - 1);
  EXPECT_EQ(text_of(out), input);
  EXPECT_FALSE(pump_->done());
  EXPECT_EQ(pump_->bytes(), 19U);
  EXPECT_EQ(feed("2\r\n\n\n\r\n0\r\n\r\n"), "2\r\n\n\n\r\n0\r\n\r\n");
  EXPECT_TRUE(pump_->done());
  EXPECT_TRUE(pump_->at_event_boundary());
}

// What another reader could understand otherwise never reaches the client.
TEST_F(AnswerPumpTest, AnythingElseIsFramedAnew) {
  for (const std::string input : {"03\r\nabc\r\n", "3;x=0\r\nabc\r\n", "1\r\na\r\n02\r\nbc\r\n"}) {
    start(kChunked, Framing::kChunked);
    EXPECT_EQ(feed(input), "3\r\nabc\r\n") << input;
  }
  for (const std::string end : {"00\r\n\r\n", "0;x\r\n\r\n", "0\r\nX-Trailer: 1\r\n\r\n"}) {
    start(kChunked, Framing::kChunked);
    EXPECT_EQ(feed("3\r\nabc\r\n" + end), "3\r\nabc\r\n0\r\n\r\n") << end;
    EXPECT_TRUE(pump_->done());
  }
}

TEST_F(AnswerPumpTest, ChunksThatAreCutAnywhereStayChunks) {
  const std::string input = "3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    start(kChunked, Framing::kChunked);
    const std::string down = feed(std::string_view(input).substr(0, cut)) + feed(std::string_view(input).substr(cut));
    EXPECT_TRUE(pump_->done());
    EXPECT_EQ(pump_->bytes(), 13U);
    start(kChunked, Framing::kClose);
    EXPECT_EQ(feed(down), "abc0123456789") << cut;
  }
}

TEST_F(AnswerPumpTest, ChunksAreJoinedIntoOnePerRead) {
  start(kChunked, Framing::kChunked);
  EXPECT_EQ(feed("3\r\nabc\r\n2;ext\r\nde\r\n"), "5\r\nabcde\r\n");
  EXPECT_FALSE(pump_->done());
  EXPECT_EQ(feed("1\r\nf\r\n0\r\nX-Trailer: 1\r\n\r\n"), "1\r\nf\r\n0\r\n\r\n");
  EXPECT_TRUE(pump_->done());
  EXPECT_EQ(pump_->bytes(), 6U);
}

TEST_F(AnswerPumpTest, ChunksBecomePlainForOldClients) {
  start(kChunked, Framing::kClose);
  EXPECT_EQ(feed("3\r\nabc\r\n0\r\n\r\n"), "abc");
  EXPECT_TRUE(pump_->done());
}

TEST_F(AnswerPumpTest, LengthGoesThroughAndStopsThere) {
  start("Content-Length: 5\r\n", Framing::kLength);
  EXPECT_EQ(feed("ab"), "ab");
  EXPECT_EQ(feed("cdeEXTRA"), "cde");
  EXPECT_TRUE(pump_->done());
  EXPECT_EQ(rest_, "EXTRA");
}

TEST_F(AnswerPumpTest, UntilCloseEndsWithTheStream) {
  start("", Framing::kChunked);
  EXPECT_EQ(feed("abc"), "3\r\nabc\r\n");
  EXPECT_EQ(end(), "0\r\n\r\n");
  EXPECT_TRUE(pump_->done());
}

TEST_F(AnswerPumpTest, AnEarlyEndIsACut) {
  start(kChunked, Framing::kChunked);
  feed("3\r\nabc\r\n");
  EXPECT_EQ(end(), "CUT");
  start("Content-Length: 5\r\n", Framing::kLength);
  feed("abc");
  EXPECT_EQ(end(), "CUT");
  EXPECT_FALSE(pump_->done());
}

TEST_F(AnswerPumpTest, BrokenFramingNeverEnds) {
  start(kChunked, Framing::kChunked);
  const std::string down = feed("3\r\nabc\r\n0x0\r\n\r\n");
  EXPECT_EQ(down.find("0\r\n\r\n"), std::string::npos);
  EXPECT_TRUE(down.ends_with("BROKEN"));
  EXPECT_FALSE(pump_->done());
}

TEST_F(AnswerPumpTest, AnyCutOfTheInputGivesTheSamePayload) {
  const std::string input = "3\r\nabc\r\na\r\n0123456789\r\n1;x=y\r\nz\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    start(kChunked, Framing::kClose);
    EXPECT_EQ(feed(std::string_view(input).substr(0, cut)) + feed(std::string_view(input).substr(cut)),
              "abc0123456789z");
    EXPECT_TRUE(pump_->done());
  }
}

TEST_F(AnswerPumpTest, ManySmallChunksNeedSeveralTurns) {
  std::string input;
  std::string payload;
  for (int i = 0; i < 1000; ++i) {
    input += "1\r\nx\r\n";
    payload += 'x';
  }
  start(kChunked, Framing::kClose);
  EXPECT_EQ(feed(input + "0\r\n\r\n"), payload);
  EXPECT_TRUE(pump_->done());
}

TEST_F(AnswerPumpTest, DecodedBytesGoFirst) {
  start(kChunked, Framing::kChunked);
  net::Outgoing out;
  pump_->add_decoded("begin", out);
  EXPECT_EQ(text_of(out), "5\r\nbegin\r\n");
  EXPECT_EQ(feed("1\r\n!\r\n0\r\n\r\n"), "1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(pump_->bytes(), 6U);
}

TEST_F(AnswerPumpTest, AnEmptyBodyEndsAtOnce) {
  start("Content-Length: 0\r\n", Framing::kNone);
  net::Outgoing out;
  pump_->finish_if_complete(out);
  EXPECT_TRUE(pump_->done());
  EXPECT_EQ(text_of(out), "");
}

// ---- where a comment may stand

TEST_F(AnswerPumpTest, EventBoundaries) {
  for (const char* end : {"\n\n", "\r\r", "\r\n\r\n"}) {
    start("", Framing::kChunked);
    EXPECT_TRUE(pump_->at_event_boundary());  // before the first event
    feed("data: 1");
    EXPECT_FALSE(pump_->at_event_boundary());
    for (const char* c = end; *c != '\0'; ++c) {
      EXPECT_FALSE(pump_->at_event_boundary()) << end;
      feed({c, 1});
    }
    EXPECT_TRUE(pump_->at_event_boundary()) << end;
    feed("d");
    EXPECT_FALSE(pump_->at_event_boundary());
  }
}

TEST_F(AnswerPumpTest, ABoundaryAcrossChunksIsSeen) {
  start(kChunked, Framing::kChunked);
  feed("2\r\na\n\r\n");
  EXPECT_FALSE(pump_->at_event_boundary());
  feed("1\r\n\n\r\n");
  EXPECT_TRUE(pump_->at_event_boundary());
}

TEST_F(AnswerPumpTest, ManyTinyRunsKeepTheTail) {
  start(kChunked, Framing::kChunked);
  std::string input = "1\r\na\r\n";
  for (const char* c : {"\r", "\n", "\r", "\n"}) input += "1\r\n" + std::string(c) + "\r\n";
  feed(input);
  EXPECT_TRUE(pump_->at_event_boundary());
}

// Behind a keep-alive a byte order mark is a part of the first line, and strict readers lost the first event by it. The
// kind: what we put into a stream changes the meaning of what follows.
TEST_F(AnswerPumpTest, AByteOrderMarkBehindAnInsertionIsLeftOut) {
  const std::string mark = "\xef\xbb\xbf";
  const auto down = [&](std::initializer_list<std::string> chunks, bool inserts) {
    start("Transfer-Encoding: chunked\r\n", Framing::kChunked);
    std::string all;
    for (const std::string& chunk : chunks) {
      if (inserts) pump_->note_insertion();
      all += feed(std::string(1, static_cast<char>('0' + chunk.size())) + "\r\n" + chunk + "\r\n");
    }
    return all + feed("0\r\n\r\n");
  };
  EXPECT_EQ(down({mark + "a"}, false), "4\r\n" + mark + "a\r\n0\r\n\r\n");
  EXPECT_EQ(down({mark + "a"}, true), "1\r\na\r\n0\r\n\r\n");
  EXPECT_EQ(down({"\xef", "\xbb", "\xbf", "a"}, true), "1\r\na\r\n0\r\n\r\n");
  EXPECT_EQ(down({mark, mark + "a"}, true), "4\r\n" + mark + "a\r\n0\r\n\r\n") << "only the first one";
  EXPECT_EQ(down({"a", mark}, true), "1\r\na\r\n3\r\n" + mark + "\r\n0\r\n\r\n");
  EXPECT_EQ(pump_->bytes(), 4U);
}

}  // namespace
}  // namespace akr
