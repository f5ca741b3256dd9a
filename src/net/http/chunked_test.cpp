#include "net/http/chunked.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace akr::net {
namespace {

using Event = ChunkedDecoder::Event;

struct Decoded {
  std::string payload;
  std::string rest;
  Event end = Event::kNeedMore;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// Feeds `input` cut before each of `cuts`.
Decoded decode(std::string_view input, const std::vector<std::size_t>& cuts = {}) {
  ChunkedDecoder decoder;
  Decoded result;
  std::size_t at = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : input.size();
    std::string_view piece = input.substr(at, end - at);
    at = end;
    for (;;) {
      std::string_view data;
      result.end = decoder.next(piece, data);
      if (result.end != Event::kData) break;
      result.payload += data;
    }
    if (result.end != Event::kNeedMore) {
      result.rest = std::string(piece) + std::string(input.substr(at));
      return result;
    }
  }
  return result;
}

std::string tiny_chunks(int count, const std::string& size_line) {
  std::string all;
  for (int i = 0; i < count; ++i) all += size_line + "\r\nx\r\n";
  return all + "0\r\n\r\n";
}

// Bodies of tiny chunks with long extensions cost 250 bytes of wire for one that any limit counted.
// (Kind: limits that count the wrong bytes.)
TEST(Chunked, FramingMustBePaidForByData) {
  EXPECT_EQ(decode(tiny_chunks(100'000, "1")).end, Event::kEnd);         // byte by byte: 5 for 1
  EXPECT_EQ(decode(tiny_chunks(100'000, "00000001")).end, Event::kEnd);  // as some write it: 12 for 1
  EXPECT_EQ(decode(tiny_chunks(100'000, "000000000000001")).end, Event::kError);
  EXPECT_EQ(decode(tiny_chunks(200, "1;" + std::string(249, 'e'))).end, Event::kEnd);
  EXPECT_EQ(decode(tiny_chunks(300, "1;" + std::string(249, 'e'))).end, Event::kError);
  EXPECT_EQ(decode("fffffffffffffff\r\nx").end, Event::kNeedMore);
}

TEST(Chunked, TheVerdictOnFramingDoesNotDependOnHowTheBytesCame) {
  const std::string input = tiny_chunks(30'000, "000000000000001");
  const Decoded whole = decode(input);
  EXPECT_EQ(whole.end, Event::kError);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = step; at < input.size(); at += step) cuts.push_back(at);
    EXPECT_EQ(decode(input, cuts), whole) << step;
  }
}

struct Case {
  const char* name;
  std::string input;
  std::string payload;
  std::string rest;
};

const std::vector<Case> kGoodCases = {
    {"empty", "0\r\n\r\n", "", ""},
    {"two chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", ""},
    {"hex in both cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a", ""},
    {"leading zeros", "0003\r\nabc\r\n000\r\n\r\n", "abc", ""},
    {"extensions", "3;name=value;\"q\\\"\"\r\nabc\r\n0;last\r\n\r\n", "abc", ""},
    {"trailers", "1\r\na\r\n0\r\nX-Checksum: 7\r\nLong-Name-" + std::string(40, 'x') + ":\r\n\r\n", "a", ""},
    {"CRLF in the payload", "4\r\n\r\n0\n\r\n0\r\n\r\n", "\r\n0\n", ""},
    {"next message stays", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a", "GET / HTTP/1.1\r\n"},
};

const std::vector<Case> kBadCases = {
    {"no size", "\r\nabc", "", ""},
    {"prefix 0x", "0x3\r\nabc\r\n0\r\n\r\n", "", ""},
    {"sign", "+3\r\nabc\r\n0\r\n\r\n", "", ""},
    {"minus", "-3\r\nabc\r\n", "", ""},
    {"underscore", "0_3\r\nabc\r\n", "", ""},
    {"16 digits", "0000000000000003\r\nabc\r\n0\r\n\r\n", "", ""},
    {"overflow", "10000000000000003\r\nabc\r\n", "", ""},
    {"space before", " 3\r\nabc\r\n", "", ""},
    {"space behind", "3 \r\nabc\r\n", "", ""},
    {"tab behind", "3\t;a\r\nabc\r\n", "", ""},
    {"LF after the size", "3\nabc\r\n0\r\n\r\n", "", ""},
    {"CR after the size", "3\rabc\r\n0\r\n\r\n", "", ""},
    {"LF in an extension", "3;a\nabc\r\n0\r\n\r\n", "", ""},
    {"CR in an extension", "3;a\rb\r\nabc\r\n", "", ""},
    {"NUL in an extension", std::string("3;a\0b\r\nabc\r\n", 12), "", ""},
    {"DEL in an extension", "3;\x7f\r\nabc\r\n", "", ""},
    {"long extension", "3;" + std::string(257, 'x') + "\r\nabc\r\n", "", ""},
    {"LF after the data", "3\r\nabc\n0\r\n\r\n", "abc", ""},
    {"CR alone after the data", "3\r\nabc\r0\r\n\r\n", "abc", ""},
    {"too much data", "3\r\nabcd\r\n0\r\n\r\n", "abc", ""},
    {"LF at the end", "0\r\n\n", "", ""},
    {"CR X at the end", "0\r\n\rX", "", ""},
    {"trailer without a colon", "0\r\nabc\r\n\r\n", "", ""},
    {"trailer with a space before the colon", "0\r\na : b\r\n\r\n", "", ""},
    {"trailer without a name", "0\r\n: b\r\n\r\n", "", ""},
    {"folded trailer", "0\r\na: b\r\n c\r\n\r\n", "", ""},
    {"control in a trailer", "0\r\na: \x01\r\n\r\n", "", ""},
    {"LF in a trailer", "0\r\na: b\n\r\n", "", ""},
    {"trailer Content-Length", "0\r\nContent-Length: 5\r\n\r\n", "", ""},
    {"trailer Transfer-Encoding", "0\r\ntransfer-encoding: chunked\r\n\r\n", "", ""},
    {"trailer Host", "0\r\nHOST: h\r\n\r\n", "", ""},
    {"trailer Authorization", "0\r\nAuthorization: Bearer x\r\n\r\n", "", ""},
    {"trailer X-Proxy-Key", "0\r\nX-Proxy-Key: x\r\n\r\n", "", ""},
    {"endless trailers", "0\r\n" + std::string(9000, 'x'), "", ""},
};

TEST(ChunkedDecoder, DecodesWhatIsValid) {
  for (const Case& entry : kGoodCases) {
    const Decoded expected{entry.payload, entry.rest, Event::kEnd};
    EXPECT_EQ(decode(entry.input), expected) << entry.name;
  }
}

TEST(ChunkedDecoder, RefusesWhatIsNot) {
  for (const Case& entry : kBadCases) {
    const Decoded result = decode(entry.input);
    EXPECT_EQ(result.end, Event::kError) << entry.name;
    EXPECT_EQ(result.payload, entry.payload) << entry.name;
  }
}

TEST(ChunkedDecoder, EverySplitGivesTheSame) {
  for (const auto* cases : {&kGoodCases, &kBadCases}) {
    for (const Case& entry : *cases) {
      const Decoded whole = decode(entry.input);
      for (std::size_t cut = 0; cut <= entry.input.size(); ++cut) {
        EXPECT_EQ(decode(entry.input, {cut}), whole) << entry.name << " cut at " << cut;
      }
      if (entry.input.size() > 50) continue;
      for (std::size_t a = 0; a <= entry.input.size(); ++a) {
        for (std::size_t b = a; b <= entry.input.size(); ++b) {
          EXPECT_EQ(decode(entry.input, {a, b}), whole) << entry.name << " cut at " << a << " and " << b;
        }
      }
    }
  }
}

TEST(ChunkedDecoder, EveryBeginningOfAValidBodyNeedsMore) {
  for (const Case& entry : kGoodCases) {
    const std::size_t size = entry.input.size() - entry.rest.size();
    for (std::size_t cut = 0; cut < size; ++cut) {
      EXPECT_EQ(decode(std::string_view(entry.input).substr(0, cut)).end, Event::kNeedMore) << entry.name << ' ' << cut;
    }
  }
}

TEST(ChunkedDecoder, StaysAtItsEnd) {
  ChunkedDecoder decoder;
  std::string_view input = "0\r\n\r\nrest";
  std::string_view data;
  EXPECT_EQ(decoder.next(input, data), Event::kEnd);
  EXPECT_TRUE(decoder.finished());
  EXPECT_EQ(decoder.next(input, data), Event::kEnd);
  EXPECT_EQ(input, "rest");
}

TEST(ChunkedDecoder, StaysBroken) {
  ChunkedDecoder decoder;
  std::string_view input = "x";
  std::string_view data;
  EXPECT_EQ(decoder.next(input, data), Event::kError);
  input = "0\r\n\r\n";
  EXPECT_EQ(decoder.next(input, data), Event::kError);
  EXPECT_FALSE(decoder.finished());
}

TEST(ChunkedDecoder, AllowsTheLongestExtensionOfEachChunk) {
  const std::string line = "1;" + std::string(256, 'x') + "\r\na\r\n";
  EXPECT_EQ(decode(line + line + "0\r\n\r\n").payload, "aa");
}

}  // namespace
}  // namespace akr::net
