// Behind a content coding everything was blind: rules, errors, errors in a 200, and pins, models and conversations of
// requests.
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/compress.hpp"
#include "tests/support/first_key_scripts.hpp"

namespace akr::test {
namespace {

// Behind a content coding nothing was seen (kind: compression must not blind the judge); what goes down stays as it
// came.
TEST(CompressedAnswers, AreJudgedByTheirText) {
  const std::pair<std::string, std::string> codings[] = {{"gzip", gzip(kLimited)},
                                                         {"br", brotli(kLimited)},
                                                         {"zstd", zstd(kLimited)},
                                                         {"deflate", zlib_deflate(kLimited)},
                                                         {"deflate", raw_deflate(kLimited)}};
  for (const auto& [coding, packed] : codings) {
    FakeUpstream upstream(first_key_says(
        [&](UpstreamCall& call) {
          call.answer(200, packed, std::string(kJson) + "Content-Encoding: " + coding + "\r\n");
        },
        answer_good));
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
    EXPECT_EQ(proxy.post("/v1/chat/completions", kChat, kJson).body, kGood) << coding;
    EXPECT_EQ(upstream.requests(), 2) << coding;
  }
}

TEST(CompressedAnswers, StreamsAreJudgedToo) {
  const std::string bad = gzip("data: " + std::string(kLimited) + "\n\n");
  const std::string good = gzip(kTextEvent);
  const std::string fields = std::string(kEvents) + "Content-Encoding: gzip\r\n";
  FakeUpstream upstream(first_key_says([&](UpstreamCall& call) { call.answer(200, bad, fields); },
                                       [&](UpstreamCall& call) { call.answer(200, good, fields); }));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  EXPECT_EQ(proxy.post("/v1/chat/completions", kChat, kJson).body, good);
  EXPECT_EQ(upstream.requests(), 2);
}

TEST(CompressedAnswers, GoodOnesStayAsTheyCame) {
  const std::string packed = gzip(kGood);
  FakeUpstream upstream(
      [&](UpstreamCall& call) { call.answer(200, packed, std::string(kJson) + "Content-Encoding: gzip\r\n"); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  EXPECT_EQ(proxy.post("/v1/chat/completions", kChat, kJson).body, packed);
}

// Compressed requests lost pins, the model's scope and stickiness.
TEST(CompressedRequests, KeepTheirModel) {
  FakeUpstream upstream(first_key_says(
      [](UpstreamCall& call) {
        call.answer(404, R"({"error":{"message":"The model does not exist","code":"model_not_found"}})", kJson);
      },
      answer_good));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true, .policy = "fill_first"});
  proxy.post("/v1/chat/completions", gzip(kChat), std::string(kJson) + "Content-Encoding: gzip\r\n");
  EXPECT_EQ(upstream.last().body, gzip(kChat));
  const auto waits = proxy.status(1).model_waits;
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_EQ(waits[0].model, "m");
}

TEST(CompressedRequests, KeepTheirPins) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.answer(200, R"({"id":"resp_made","object":"response","status":"completed","output":[{"type":"message"}]})",
                kJson);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
  proxy.post("/v1/responses", R"({"model":"m","input":"x"})", kJson);
  const std::string maker = upstream.last().field("authorization");
  const std::string next =
      R"({"model":"m","input":")" + std::string(20'000, 'x') + R"(","previous_response_id":"resp_made"})";
  for (const std::string coding : {"zstd", "gzip", "br"}) {
    const std::string body = coding == "zstd" ? zstd(next) : coding == "gzip" ? gzip(next) : brotli(next);
    for (int i = 0; i < 3; ++i) {
      proxy.post("/v1/responses", body, std::string(kJson) + "Content-Encoding: " + coding + "\r\n");
      EXPECT_EQ(upstream.last().field("authorization"), maker) << coding;
      EXPECT_EQ(upstream.last().body, body);
    }
  }
}

TEST(CompressedRequests, KeepTheirConversation) {
  FakeUpstream upstream(answer_good);
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 5, .llm = true, .policy = "sticky"});
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hello"}]})";
  for (int i = 0; i < 4; ++i)
    proxy.post("/v1/chat/completions", zstd(body), std::string(kJson) + "Content-Encoding: zstd\r\n");
  EXPECT_EQ(upstream.count_by("authorization").size(), 1U);
}

}  // namespace
}  // namespace akr::test
