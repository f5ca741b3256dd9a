// retry_on_empty (behaviour.md D33): good answers without content, and streams that end before any content came, are
// tried again with another key; no key is blamed.
#include <atomic>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kChat;
using test::kJson;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr const char* kSse = "Content-Type: text/event-stream\r\n";
const std::string kRole = R"(data: {"choices":[{"delta":{"role":"assistant","content":""}}]})"
                          "\n\n";
const std::string kHello = R"(data: {"choices":[{"delta":{"content":"hello"}}]})"
                           "\n\n";
const std::string kDone = "data: [DONE]\n\n";

struct Dialect {
  const char* format;
  const char* path;
  std::string empty;
  std::string good;
  std::string empty_stream;
  std::string good_stream;
};

const Dialect kDialects[] = {
    {"openai_compatible", "/v1/chat/completions",
     R"({"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}]})",
     R"({"choices":[{"message":{"role":"assistant","content":"hello"}}]})", ": hi\n\n" + kRole + kDone,
     kRole + kHello + kDone},
    {"anthropic_native", "/v1/messages", R"({"type":"message","content":[],"stop_reason":"end_turn"})",
     R"({"type":"message","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn"})",
     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\n"
     "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"hello\"}}\n\n"},
    {"gemini_native", "/v1beta/models/m:generateContent", R"({"candidates":[],"modelVersion":"m"})",
     R"({"candidates":[{"content":{"parts":[{"text":"hello"}]}}]})",
     "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n",
     "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hello\"}]}}]}\n\n"},
};

class EmptyAnswers : public testing::TestWithParam<Dialect> {
 protected:
  // The first calls are answered with `bad`, the others with `good`.
  void expect_retried(const std::string& bad, const std::string& good, const char* type) {
    FakeUpstream upstream([&](UpstreamCall& call) { call.answer(200, upstream_calls_++ < 1 ? bad : good, type); });
    ProxyUnderTest proxy({.target_url = upstream.url(),
                          .keys = 3,
                          .llm = true,
                          .api_format = GetParam().format,
                          .retry_on_empty = true});
    const HttpAnswer answer = proxy.post(GetParam().path, kChat);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, good);
    EXPECT_EQ(upstream.requests(), 2);
    EXPECT_EQ(upstream.count_by("authorization").size(), 2U) << "another key";
    for (int key = 1; key <= 3; ++key) {
      EXPECT_EQ(proxy.status(key).state, KeyState::kActive);
      EXPECT_EQ(proxy.status(key).consecutive_failures, 0U);
    }
  }
  std::atomic<int> upstream_calls_ = 0;
};

TEST_P(EmptyAnswers, AreTriedAgainAndBlameNobody) { expect_retried(GetParam().empty, GetParam().good, kJson.data()); }

TEST_P(EmptyAnswers, StreamsThatEndWithoutContentAreTriedAgain) {
  expect_retried(GetParam().empty_stream, GetParam().good_stream, kSse);
}

TEST_P(EmptyAnswers, AreRelayedWhenAttemptsRunOutAndWithoutTheSetting) {
  for (const bool stream : {false, true}) {
    const std::string body = stream ? GetParam().empty_stream : GetParam().empty;
    FakeUpstream upstream([&](UpstreamCall& call) {
      call.answer(200, body, (stream ? kSse : std::string(kJson)) + std::string("X-Request-Id: from-upstream\r\n"));
    });
    for (const bool on : {true, false}) {
      ProxyUnderTest proxy({.target_url = upstream.url(),
                            .keys = 5,
                            .llm = true,
                            .api_format = GetParam().format,
                            .retry_on_empty = on});
      const int before = upstream.requests();
      const HttpAnswer answer = proxy.post(GetParam().path, kChat);
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.body, body);
      EXPECT_EQ(upstream.requests() - before, on ? 3 : 1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EmptyAnswers, testing::ValuesIn(kDialects),
                         [](const auto& each) { return std::string(each.param.format); });

// A stream that only thinks is not kept from its client for longer than two seconds, nor for more than 16 KiB.
TEST(EmptyStreams, AreHeldForTwoSecondsAtMost) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + std::string(kSse) + "\r\n");
    call.send_chunk(kRole);
    call.wait(3s);
    call.send_chunk(kDone);
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true, .retry_on_empty = true});
  const HttpAnswer answer = proxy.post("/v1/chat/completions", kChat);
  EXPECT_EQ(answer.body, kRole + kDone);
  EXPECT_EQ(upstream.requests(), 1);
}

TEST(EmptyStreams, AreHeldForSixteenKilobytesAtMost) {
  std::string roles;
  while (roles.size() < 20'000) roles += kRole;
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(200, roles + kDone, kSse); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true, .retry_on_empty = true});
  EXPECT_EQ(proxy.post("/v1/chat/completions", kChat).body, roles + kDone);
  EXPECT_EQ(upstream.requests(), 1);
}

TEST(EmptyStreams, ContentAfterTheRoleGoesDownWithEverythingBeforeIt) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + std::string(kSse) + "\r\n");
    for (const char c : kRole + kHello) call.send_chunk(std::string(1, c));
    call.send_chunk(kDone);
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true, .retry_on_empty = true});
  EXPECT_EQ(proxy.post("/v1/chat/completions", kChat).body, kRole + kHello + kDone);
  EXPECT_EQ(upstream.requests(), 1);
}

}  // namespace
}  // namespace akr
