// A body piece by piece, without its content codings: wherever it is, however it was packed.
#include "proxy/request/body_text.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/compress.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

using Next = BodyText::Next;
using test::gzip;
using test::zstd;

struct Told {
  std::string text;
  Next end = Next::kEnd;
  std::size_t longest = 0;  // piece
  int pieces = 0;
};

Told told(const std::string& body, const std::string& coding, std::uint64_t most = 1U << 30) {
  Told result;
  const std::string field = coding.empty() ? "" : "Content-Encoding: " + coding + "\r\n";
  const auto read = [&](RequestContext& ctx) {
    PreparedRequest request(ctx.client, "/tmp");
    ASSERT_TRUE(request.body.append(body));
    BodyText text(ctx.client.head(), request, most);
    for (std::string_view piece; (result.end = text.next(piece)) == Next::kPiece;) {
      result.text += piece;
      result.longest = std::max(result.longest, piece.size());
      ++result.pieces;
    }
  };
  test::RequestFixture(example_service("s"))
      .run("POST /proxy/s/a HTTP/1.1\r\nHost: g\r\n" + field + "Content-Length: 0\r\n\r\n", read);
  return result;
}

std::string json_of(std::size_t size) { return R"({"x":")" + std::string(size, 'a') + R"("})"; }

TEST(BodyText, ComesInPiecesFromMemoryAndFromTheFile) {
  for (const std::size_t size : {1U, 100'000U, 3U << 20}) {
    const Told plain = told(json_of(size), "");
    EXPECT_EQ(plain.text, json_of(size));
    EXPECT_EQ(plain.end, Next::kEnd);
    EXPECT_LE(plain.longest, 64U * 1024);
  }
}

TEST(BodyText, CodingsAreUndoneLastOneFirst) {
  const std::string json = json_of(300'000);
  EXPECT_EQ(told(gzip(json), "gzip").text, json);
  EXPECT_EQ(told(zstd(gzip(json)), "gzip, zstd").text, json);
  EXPECT_EQ(told(json, "gzip").text, json) << "a name, and no coding";
}

TEST(BodyText, WhatCannotBeReadIsSaid) {
  const std::string packed = gzip(json_of(300'000));
  EXPECT_EQ(told("what?", "rot13").end, Next::kUnreadable);
  EXPECT_EQ(told("", "rot13").end, Next::kEnd);
  EXPECT_EQ(told(packed.substr(0, packed.size() - 9), "gzip").end, Next::kUnreadable);
  EXPECT_EQ(told("x" + packed, "gzip").end, Next::kUnreadable);
  EXPECT_EQ(told(packed, "gzip", 1000).end, Next::kTooLong);
}

// Members that hold nothing were all passed over in one step: 64 MiB of them held the worker up (kind: what gives
// nothing must be given time too).
TEST(BodyText, NothingComesInPiecesToo) {
  std::string nothing;
  while (nothing.size() < 2U << 20) nothing += gzip("");
  const Told members = told(nothing + gzip("{}"), "gzip");
  EXPECT_EQ(members.text, "{}");
  EXPECT_EQ(members.end, Next::kEnd);
  EXPECT_GT(members.pieces, 16);
}

// A few hundred bytes that unpack without end: 40 KiB kept a worker busy for seconds (kind: the cost of a request is
// bounded by what was sent).
TEST(BodyText, GrowsOnlySoFar) {
  const std::string much = json_of(24U << 20);
  EXPECT_EQ(told(gzip(much), "gzip").end, Next::kTooLong);
  EXPECT_EQ(told(gzip(gzip(much)), "gzip, gzip").end, Next::kTooLong);
  EXPECT_EQ(told(gzip(json_of(3U << 20)), "gzip").end, Next::kEnd);
}

// What the outer coding unpacked and the inner one swallowed counted nowhere: frames of nothing inside another coding
// cost as much as their bytes (the same kind).
TEST(BodyText, NothingInsideAnotherCodingIsBoundedToo) {
  std::string nothing;
  for (int i = 0; i < 64 * 1024; ++i) nothing += zstd("");
  std::string much;
  while (much.size() < 16U << 20) much += nothing;
  const Told empty = told(gzip(gzip(much)), "zstd, gzip, gzip");
  EXPECT_EQ(empty.end, Next::kTooLong);
  EXPECT_EQ(empty.text, "");
}

}  // namespace
}  // namespace akr
