// While the upstream is silent: what goes down, in which dialect.
#include <string>

#include <gtest/gtest.h>

#include "tests/support/compress.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kChat;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Silence {
  const char* format;
  const char* path;
  std::string first, second;  // events
  std::string filled_with;
};

const Silence kSilences[] = {
    {"openai_compatible", "/v1/chat/completions", "id: 1\ndata: {\"choices\":[]}\n\n", "id: 2\ndata: [DONE]\n\n",
     ": keepalive\n"},
    {"openai_compatible", "/v1/responses", "event: a\r\ndata: {\"type\":\"a\"}\r\n\r\n", "data: {}\r\n\r\n",
     ": keepalive\n"},
    {"anthropic_native", "/v1/messages", "event: message_start\ndata: {\"type\":\"message_start\"}\n\n",
     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "event: ping\ndata: {\"type\": \"ping\"}\n\n"},
    {"gemini_native", "/v1beta/models/m:streamGenerateContent?alt=sse", "data: {\"candidates\":[]}\r\n\r\n",
     "data: {}\r\n\r\n", ""},
};

// One comment for all, which google-genai for Python and Go took for a broken answer and openai-python for an empty
// event.  Stands for what we write into a stream ourselves: it is the dialect's that the client speaks.
TEST(KeepAlive, FillsSilenceWithWhatTheDialectHasForIt) {
  for (const Silence& each : kSilences) {
    FakeUpstream upstream([&](UpstreamCall& call) {
      call.read_body();
      call.send(kHead);
      call.send_chunk(each.first);
      call.wait(250ms);
      call.send_chunk(each.second);
      call.send_chunk("");
    });
    ProxyUnderTest proxy({.target_url = upstream.url(), .llm = true, .api_format = each.format, .sse_keepalive = 40ms});
    const HttpAnswer answer = proxy.post(each.path, kChat);
    ASSERT_TRUE(answer.complete) << each.path;
    ASSERT_TRUE(answer.body.starts_with(each.first) && answer.body.ends_with(each.second)) << answer.body;
    const std::string between =
        answer.body.substr(each.first.size(), answer.body.size() - each.first.size() - each.second.size());
    std::string expected;
    while (!each.filled_with.empty() && expected.size() < between.size()) expected += each.filled_with;
    EXPECT_EQ(between, expected) << each.path;
    EXPECT_EQ(between.empty(), each.filled_with.empty()) << each.path;
  }
}

// A client of HTTP/1.0 has no chunks.
TEST(KeepAlive, FillsAStreamWithoutChunksToo) {
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.read_body();
    call.send(kHead);
    call.send_chunk("data: 1\n\n");
    call.wait(120ms);
    call.send_chunk("data: 2\n\n");
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .llm = true, .sse_keepalive = 40ms});
  std::string request = proxy.request("POST", "/v1/chat/completions", kChat);
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  const HttpAnswer answer = proxy.client().ask(request);
  EXPECT_TRUE(answer.body.starts_with("data: 1\n\n: keepalive\n")) << answer.body;
  EXPECT_TRUE(answer.body.ends_with("data: 2\n\n")) << answer.body;
}

// Comments and error events of ours went into compressed streams, which nobody could unpack then.  The kind: text of
// ours in what is no text.
TEST(KeepAlive, PutsNothingIntoACompressedStream) {
  const std::string packed = test::gzip("data: {\"choices\":[]}\n\n") + "\n\n";  // as if events had ended
  for (const char* coding : {"Content-Encoding: gzip\r\n", "Content-Encoding:\r\nContent-Encoding: gzip\r\n"}) {
    for (const bool cut : {false, true}) {
      FakeUpstream upstream([&](UpstreamCall& call) {
        call.read_body();
        call.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n" +
                  std::string(coding) + "\r\n");
        call.wait(120ms);
        call.send_chunk(packed);
        call.wait(120ms);
        if (!cut) call.send_chunk("");
      });
      for (const bool llm : {true, false}) {
        ProxyUnderTest proxy({.target_url = upstream.url(), .llm = llm, .sse_keepalive = 40ms});
        const HttpAnswer answer = proxy.post("/v1/chat/completions", kChat);
        EXPECT_EQ(answer.body, packed) << coding << cut << llm;
        EXPECT_EQ(answer.complete, !cut);
      }
    }
  }
}

TEST(KeepAlive, LeavesNoByteOrderMarkBehindIt) {
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.read_body();
    call.send(kHead);
    call.wait(120ms);
    call.send_chunk(
        "\xef\xbb\xbf"
        "data: 1\n\n");
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .sse_keepalive = 40ms});
  const HttpAnswer answer = proxy.post("/x", kChat);
  EXPECT_TRUE(answer.body.starts_with(": keepalive\n")) << answer.body;
  EXPECT_TRUE(answer.body.ends_with("\ndata: 1\n\n")) << answer.body;
  EXPECT_EQ(answer.body.find('\xef'), std::string::npos);
}

}  // namespace
}  // namespace akr
