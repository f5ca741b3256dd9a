// tpm (behaviour.md D27): what requests really cost is read from the answers; until then an estimate counts.
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::kChat;
using test::kJson;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr const char* kSse = "Content-Type: text/event-stream\r\n";

struct Dialect {
  const char* format;
  const char* path;
  std::string json;  // each costs 60 tokens
  std::string stream;
};

const Dialect kDialects[] = {
    {"openai_compatible", "/v1/chat/completions", R"({"choices":[],"usage":{"total_tokens":60}})",
     "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
     "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":40,\"total_tokens\":60}}\n\n"
     "data: [DONE]\n\n"},
    {"anthropic_native", "/v1/messages", R"({"usage":{"input_tokens":20,"output_tokens":40}})",
     "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":20,\"output_tokens\":1}}}\n\n"
     "event: message_delta\ndata: {\"usage\":{\"output_tokens\":40}}\n\n"},
    {"gemini_native", "/v1beta/models/m:generateContent", R"({"usageMetadata":{"totalTokenCount":60}})",
     "data: {\"usageMetadata\":{\"totalTokenCount\":20}}\n\ndata: {\"usageMetadata\":{\"totalTokenCount\":60}}\n\n"},
};

class TokenLimits : public testing::TestWithParam<Dialect> {
 protected:
  // Two requests use the first key up (60, then 120 of 100 tokens); the third goes to the second key.
  void expect_counted(const FakeUpstream::Script& script) {
    FakeUpstream upstream(script);
    ProxyUnderTest proxy({.target_url = upstream.url(),
                          .keys = 2,
                          .llm = true,
                          .api_format = GetParam().format,
                          .policy = "fill_first",
                          .limits = {.tpm = 100}});
    for (const int key : {1, 1, 2}) {
      ASSERT_EQ(proxy.post(GetParam().path, kChat).status, 200);
      EXPECT_EQ(upstream.last().field("authorization"), ProxyUnderTest::bearer(key));
    }
    EXPECT_EQ(proxy.status(1).standing, KeyStanding::kLimited);
    EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
    EXPECT_EQ(proxy.status(1).consecutive_failures, 0U);
  }
};

TEST_P(TokenLimits, AKeyIsSkippedOnceAnswersUsedItUp) {
  expect_counted([](UpstreamCall& call) { call.answer(200, GetParam().json, kJson); });
}

TEST_P(TokenLimits, StreamsAreCountedToo) {
  expect_counted([](UpstreamCall& call) { call.answer(200, GetParam().stream, kSse); });
}

// Long bodies of known length go through the kernel otherwise, and nobody would see their end.
TEST_P(TokenLimits, LongAnswersAreCountedByTheirEnd) {
  expect_counted([](UpstreamCall& call) {
    call.answer(200, R"({"pad":")" + std::string(400'000, 'x') + "\"," + GetParam().json.substr(1), kJson);
  });
}

INSTANTIATE_TEST_SUITE_P(Formats, TokenLimits, testing::ValuesIn(kDialects),
                         [](const auto& each) { return std::string(each.param.format); });

// 100 tokens are left of nothing: the estimate keeps a large request away from a key that was used before.
TEST(TokenEstimate, IsCheckedBeforeTheRequestIsSent) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, R"({"choices":[]})", kJson); });
  ProxyUnderTest proxy(
      {.target_url = upstream.url(), .keys = 2, .llm = true, .policy = "fill_first", .limits = {.tpm = 100}});
  const std::string body = R"({"model":"m","messages":")" + std::string(250, 'x') + "\"}";  // about 70 tokens
  for (const int key : {1, 2}) {
    ASSERT_EQ(proxy.post("/v1/chat/completions", body).status, 200);
    EXPECT_EQ(upstream.last().field("authorization"), ProxyUnderTest::bearer(key));
  }
  ASSERT_EQ(proxy.post("/v1/chat/completions", kChat).status, 200);
  EXPECT_EQ(upstream.last().field("authorization"), ProxyUnderTest::bearer(1)) << "a small one still fits";
}

TEST(TokenEstimate, WhatWasRefusedCostNothing) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(400, R"({"error":{"message":"bad"}})", kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1, .llm = true, .limits = {.tpm = 100}});
  const std::string body = R"({"model":"m","messages":")" + std::string(250, 'x') + "\"}";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(proxy.post("/v1/chat/completions", body).status, 400);
}

// A second attempt at another URL was not counted: the answer's tokens were missing from the key's minute.
TEST(TokenEstimate, ASecondAttemptAtAnotherUrlCountsToo) {
  FakeUpstream broken([](UpstreamCall& call) { call.answer(500, "no"); });
  FakeUpstream good([](UpstreamCall& call) { call.answer(200, R"({"choices":[]})", kJson); });
  ProxyUnderTest proxy(
      {.keys = 1, .llm = true, .upstreams = {{broken.url(), 1, 0}, {good.url(), 1, 1}}, .limits = {.tpm = 100}});
  const std::string body = R"({"model":"m","messages":")" + std::string(250, 'x') + "\"}";  // about 70 tokens
  EXPECT_EQ(proxy.post("/v1/chat/completions", body).status, 200);
  EXPECT_EQ(good.requests(), 1);
  EXPECT_EQ(proxy.post("/v1/chat/completions", body).status, 429);
  EXPECT_EQ(broken.requests(), 1);
}

}  // namespace
}  // namespace akr
