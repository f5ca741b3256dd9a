// A model that no key has access to was answered 404 once; then all keys waited for it, and the client was answered 429
// "try again in ten minutes" for a model that does not exist (llm-formats.md section 4).
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::kChat;
using test::kJson;
using test::ProxyUnderTest;
using test::UpstreamCall;

TEST(Regression, MissingModelIsHeardFromTheProviderEachTime) {
  const std::string body =
      R"({"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}})";
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(404, body, kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 4; ++i) {
    const int before = upstream.requests();
    const HttpAnswer answer = proxy.post("/v1/chat/completions", kChat);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, body);
    EXPECT_EQ(upstream.requests() - before, i == 0 ? 2 : 1) << "all keys once, then one per request";
  }
}

}  // namespace
}  // namespace akr
