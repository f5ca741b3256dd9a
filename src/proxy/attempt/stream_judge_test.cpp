#include "proxy/attempt/stream_judge.hpp"

#include <gtest/gtest.h>

#include "tests/support/compress.hpp"

namespace akr {
namespace {

constexpr std::string_view kRole = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
constexpr std::string_view kText = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
constexpr std::string_view kError = "data: {\"error\":{\"message\":\"slow down\",\"code\":429}}\n\n";

struct Stream {
  explicit Stream(const std::string& coding = "", bool to_content = true) {
    text = "HTTP/1.1 200 OK\r\n" + (coding.empty() ? "" : "Content-Encoding: " + coding + "\r\n") + "\r\n";
    EXPECT_EQ(head.parse_response(text, false), net::ParseStatus::kDone);
    service.config.type = ServiceType::kLlm;
    service.config.api_format = "openai_compatible";
    find_provider_of(service);
    const UpstreamSpeech speech = {service.provider, service.provider->dialects.front()};
    const Judge by(service, speech, {.at_once = true, .model = true});
    judge = std::make_unique<StreamJudge>(by, head, to_content ? speech.dialect : nullptr);
  }
  std::string text;
  net::MessageHead head;
  RoutedService service;
  std::unique_ptr<StreamJudge> judge;
};

TEST(StreamJudge, ContentDecidesAndWhatComesBeforeDoesNot) {
  Stream stream;
  std::string held(kRole);
  EXPECT_FALSE(stream.judge->scan(held));
  EXPECT_TRUE(stream.judge->saw_event());
  held += ": wait\n\n";
  EXPECT_FALSE(stream.judge->scan(held));
  held += kText;
  EXPECT_TRUE(stream.judge->scan(held));
  EXPECT_FALSE(stream.judge->bad());
}

TEST(StreamJudge, AnErrorDecidesToo) {
  Stream stream;
  EXPECT_TRUE(stream.judge->scan(std::string(kRole) + std::string(kError)));
  ASSERT_TRUE(stream.judge->bad());
  EXPECT_EQ(stream.judge->bad()->status, 429);
}

TEST(StreamJudge, PiecesOfAnyLengthSayTheSame) {
  const std::string whole = std::string(kRole) + ": c\n\n" + std::string(kError);
  for (const std::string coding : {"", "gzip", "br", "zstd", "deflate"}) {
    const std::string sent = coding == "gzip"      ? test::gzip(whole)
                             : coding == "br"      ? test::brotli(whole)
                             : coding == "zstd"    ? test::zstd(whole)
                             : coding == "deflate" ? test::raw_deflate(whole)
                                                   : whole;
    for (const std::size_t step : {1U, 3U, 7U, 1000U}) {
      Stream stream(coding);
      bool decided = false;
      for (std::size_t size = std::min(step, sent.size()); !decided; size = std::min(size + step, sent.size())) {
        decided = stream.judge->scan(std::string_view(sent).substr(0, size));
        if (size == sent.size()) break;
      }
      ASSERT_TRUE(decided) << coding << ' ' << step;
      EXPECT_TRUE(stream.judge->bad()) << coding << ' ' << step;
    }
  }
}

TEST(StreamJudge, WithoutADialectTheFirstEventDecides) {
  Stream stream("", false);
  EXPECT_TRUE(stream.judge->scan(kRole));
  EXPECT_FALSE(stream.judge->bad());
}

TEST(StreamJudge, KnowsAStreamThatHeldNothing) {
  Stream stream;
  const std::string held = std::string(kRole) + "data: [DONE]\n";
  EXPECT_FALSE(stream.judge->scan(held));
  EXPECT_TRUE(stream.judge->was_empty(held));
  Stream silent;
  EXPECT_FALSE(silent.judge->scan(": only a comment\n\n"));
  EXPECT_FALSE(silent.judge->was_empty(": only a comment\n\n"));
}

TEST(StreamJudge, ACodingThatNobodyKnowsIsLeftAlone) {
  Stream stream("snappy");
  EXPECT_FALSE(stream.judge->scan(kError));
}

}  // namespace
}  // namespace akr
