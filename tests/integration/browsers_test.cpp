// browsers_test.cpp - web pages as clients: what a browser adds by itself, and what it asks for.
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::TestGateway;
using test::UpstreamCall;

constexpr std::string_view kMessages = "/llm/s/v1/messages";
constexpr std::string_view kQuestion = R"({"model":"m","max_tokens":1,"messages":[]})";

// As Anthropic answers what it takes for a call from a web page.
void refuse_pages(UpstreamCall& call) {
  if (call.request().field("origin").empty() && call.request().field("sec-fetch-site").empty()) {
    return call.answer(200, R"({"type":"message","content":[]})", "Content-Type: application/json\r\n");
  }
  call.answer(401, R"({"type":"error","error":{"type":"authentication_error","message":"CORS requests must set )"
                   R"('anthropic-dangerous-direct-browser-access' header"}})");
}

// A web app called the gateway, its Origin travelled on, Anthropic refused each key for it, and then all clients were
// left without keys.  The kind: the client's own surroundings are held against the keys.
TEST(Browsers, APagesOriginCostsNoKey) {
  FakeUpstream upstream(refuse_pages);
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .keys = 2, .llm = true, .api_format = "anthropic_native"});
  const std::string page =
      "Origin: http://localhost:3001\r\nReferer: http://localhost:3001/chat\r\nSec-Fetch-Site: cross-site\r\n"
      "Sec-Fetch-Mode: cors\r\n";
  for (int i = 0; i < 6; ++i) EXPECT_EQ(gateway.post(kMessages, kQuestion, page).status, 200);
  EXPECT_EQ(gateway.post(kMessages, kQuestion).status, 200);
  EXPECT_EQ(upstream.requests(), 7);
  for (const auto& request : upstream.seen()) EXPECT_EQ(request.head.find("localhost:3001"), std::string::npos);
}

}  // namespace
}  // namespace akr
