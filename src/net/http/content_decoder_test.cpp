#include "net/http/content_decoder.hpp"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/support/compress.hpp"

namespace akr::net {
namespace {

constexpr std::size_t kMost = 1 << 20;
const std::string kText = R"({"error":{"message":"quota exceeded, and again quota exceeded"}})";

DecodedBody decode(std::string_view codings, std::string_view body, std::size_t most = kMost) {
  return decode_content(content_codings(codings), body, most);
}

struct Case {
  const char* name;
  std::string (*compress)(std::string_view);
};
const Case kCases[] = {{"gzip", test::gzip},           {"x-gzip", test::gzip}, {"deflate", test::zlib_deflate},
                       {"DEFLATE", test::raw_deflate}, {"br", test::brotli},   {"zstd", test::zstd}};

TEST(ContentDecoder, EachCodingComesBack) {
  for (const Case& c : kCases) {
    for (const std::string& text : {kText, std::string(), std::string(300'000, 'a')}) {
      const DecodedBody decoded = decode(c.name, c.compress(text));
      EXPECT_EQ(decoded.end, DecodedEnd::kWhole) << c.name << " " << text.size();
      EXPECT_EQ(decoded.text, text) << c.name;
    }
  }
}

TEST(ContentDecoder, PieceByPiece) {
  for (const Case& c : kCases) {
    const std::string packed = c.compress(kText);
    const auto decoder = make_content_decoder(content_codings(c.name).all[0]);
    std::string text;
    auto status = ContentDecoder::Status::kMore;
    for (const char& byte : packed) {
      std::string_view input(&byte, 1);
      do {
        char out[3];
        std::size_t written = 0;
        status = decoder->next(input, out, sizeof out, written);
        text.append(out, written);
      } while (status == ContentDecoder::Status::kFull);
      ASSERT_NE(status, ContentDecoder::Status::kError) << c.name;
    }
    EXPECT_EQ(status, ContentDecoder::Status::kEnd) << c.name;
    EXPECT_EQ(text, kText) << c.name;
  }
}

TEST(ContentDecoder, ABombStopsAtTheLimit) {
  const std::string zeros(8 << 20, '\0');
  for (const Case& c : kCases) {
    const DecodedBody decoded = decode(c.name, c.compress(zeros));
    EXPECT_EQ(decoded.end, DecodedEnd::kTooLarge) << c.name;
    EXPECT_EQ(decoded.text.size(), kMost) << c.name;
  }
}

TEST(ContentDecoder, ExactlyTheLimitIsWhole) {
  const std::string text(kMost, 'x');
  for (const Case& c : kCases) {
    EXPECT_EQ(decode(c.name, c.compress(text)).end, DecodedEnd::kWhole) << c.name;
    EXPECT_EQ(decode(c.name, c.compress(text + "x")).end, DecodedEnd::kTooLarge) << c.name;
  }
}

TEST(ContentDecoder, WhatIsCutDamagedOrFollowedIsToldApart) {
  for (const Case& c : kCases) {
    const std::string packed = c.compress(kText);
    for (std::size_t size = 1; size < packed.size(); ++size) {
      const DecodedBody cut = decode(c.name, packed.substr(0, size));
      EXPECT_NE(cut.end, DecodedEnd::kWhole) << c.name << " " << size;
      EXPECT_EQ(kText.substr(0, cut.text.size()), cut.text);
    }
    EXPECT_EQ(decode(c.name, packed + "trailing bytes").end, DecodedEnd::kBroken) << c.name;
    EXPECT_EQ(decode(c.name, "neither this nor that").end, DecodedEnd::kBroken) << c.name;
  }
}

TEST(ContentDecoder, SeveralCodingsAndMembers) {
  EXPECT_EQ(decode("gzip, br", test::brotli(test::gzip(kText))).text, kText);
  EXPECT_EQ(decode("identity,GZIP", test::gzip(kText)).text, kText);
  EXPECT_EQ(decode("gzip", test::gzip(kText) + test::gzip("more")).text, kText + "more");
  EXPECT_EQ(decode("", kText).text, kText);
  EXPECT_FALSE(content_codings("compress").known);
  EXPECT_FALSE(content_codings("gzip, gzip, gzip, gzip").known);
  EXPECT_EQ(decode("compress", kText).end, DecodedEnd::kBroken);
}

}  // namespace
}  // namespace akr::net
