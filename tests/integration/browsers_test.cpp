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

// ---- CORS

const std::string kApp = "Origin: app://obsidian.md\r\n";

class Cors : public testing::Test {
 protected:
  Cors() {
    script_ = [](UpstreamCall& call) { call.answer(200, "{}", "Content-Type: application/json\r\nVary: Accept\r\n"); };
    gateway_.add_service({.slug = "off", .target_url = upstream_.url()});
    gateway_.add_service({.slug = "s",
                          .target_url = upstream_.url(),
                          .llm = true,
                          .more = R"(,"cors_origins":["https://a.example","app://obsidian.md"])"});
    gateway_.add_service(
        {.slug = "all", .target_url = upstream_.url(), .method = "GET", .more = R"(,"cors_origins":"*")"});
  }
  // Without an access key, as browsers ask.
  HttpAnswer ask(std::string_view method, std::string_view target, std::string_view fields) {
    return gateway_.client().ask(TestGateway::request(method, target, fields));
  }
  HttpAnswer preflight(std::string_view target, std::string_view fields) {
    return ask("OPTIONS", target, std::string(fields) + "Access-Control-Request-Method: POST\r\n");
  }
  static bool allows_nothing(const HttpAnswer& answer) {
    return answer.head.find("Access-Control-Allow") == std::string::npos;
  }
  test::ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  TestGateway gateway_;
};

// Obsidian, BetterChatGPT and NextChat could not call the gateway: the question that their browser asks first, which
// cannot carry the key, was answered 401.
TEST_F(Cors, APreflightIsAnsweredWithoutAKey) {
  const HttpAnswer answer = preflight(
      "/llm/s/v1/responses", kApp + "Access-Control-Request-Headers: authorization,content-type,x-stainless-os\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("access-control-allow-origin"), "app://obsidian.md");
  EXPECT_EQ(answer.field("access-control-allow-methods"), "POST");
  EXPECT_EQ(answer.field("access-control-allow-headers"), "authorization,content-type,x-stainless-os");
  EXPECT_EQ(answer.field("access-control-max-age"), "7200");
  EXPECT_EQ(answer.field("vary"), "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  EXPECT_EQ(answer.count("access-control-allow-private-network"), 0U);
  EXPECT_EQ(answer.count("access-control-allow-credentials"), 0U);
  EXPECT_EQ(answer.count("content-length"), 0U);
  EXPECT_EQ(answer.count("x-request-id"), 1U);
  EXPECT_EQ(preflight("/proxy/all/a", "Origin: https://any.example\r\n").field("access-control-allow-origin"), "*");
  const HttpAnswer at_home = preflight("/proxy/all/a",
                                       "Origin: https://any.example\r\n"
                                       "Access-Control-Request-Private-Network: true\r\n");
  EXPECT_EQ(at_home.field("access-control-allow-private-network"), "true");
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Cors, NothingIsAllowedToOthersNorWhereItIsOff) {
  const HttpAnswer stranger = preflight("/llm/s/v1/responses", "Origin: https://b.example\r\n");
  EXPECT_EQ(stranger.status, 204);
  EXPECT_TRUE(allows_nothing(stranger)) << stranger.head;
  const HttpAnswer off = preflight("/proxy/off/a", kApp);
  EXPECT_EQ(off.status, 401);
  EXPECT_TRUE(allows_nothing(off)) << off.head;
  const HttpAnswer foreign = gateway_.get("/llm/s/v1/models", "Origin: https://b.example\r\n");
  EXPECT_EQ(foreign.status, 200);
  EXPECT_TRUE(allows_nothing(foreign)) << foreign.head;
  EXPECT_NE(foreign.head.find("Vary: Origin\r\n"), std::string::npos);  // a cache must not give it to another page
}

// A page that cannot read our 401 or 429 is told "network error".
TEST_F(Cors, ErrorsOfOursAreReadable) {
  const std::string wrong = kApp + "Authorization: Bearer wrong\r\n";
  for (const HttpAnswer& answer : {ask("GET", "/llm/s/v1/models", kApp), ask("GET", "/llm/s/v1/models", wrong),
                                   gateway_.get("/llm/s/v1/%2e%2e/x", kApp)}) {
    EXPECT_GE(answer.status, 400);
    EXPECT_EQ(answer.field("access-control-allow-origin"), "app://obsidian.md");
    EXPECT_EQ(answer.field("access-control-expose-headers"), "*");
    EXPECT_EQ(answer.field("vary"), "Origin");
  }
  const HttpAnswer method = gateway_.post("/proxy/all/a", "{}", kApp);
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.field("access-control-allow-origin"), "*");
}

TEST_F(Cors, TheUpstreamsOwnWordsDoNotContradict) {
  script_ = [](UpstreamCall& call) {
    call.answer(call.request().target == "/v1/models" ? 200 : 429, "{}",
                "Content-Type: application/json\r\nAccess-Control-Allow-Origin: https://provider.example\r\n"
                "access-control-allow-credentials: true\r\nAccess-Control-Expose-Headers: x-a\r\nVary: Accept\r\n");
  };
  for (const char* path : {"/llm/s/v1/models", "/llm/s/v1/files"}) {
    const HttpAnswer answer = gateway_.get(path, kApp);
    EXPECT_EQ(answer.count("access-control-allow-origin"), 1U);
    EXPECT_EQ(answer.field("access-control-allow-origin"), "app://obsidian.md");
    EXPECT_EQ(answer.count("access-control-allow-credentials"), 0U);
    EXPECT_EQ(answer.field("access-control-expose-headers"), "*");
    EXPECT_EQ(answer.count("vary"), 2U);
  }
  for (const auto& request : upstream_.seen()) EXPECT_EQ(request.count("origin"), 0U);
  script_ = [](UpstreamCall& call) { call.answer(200, "{}", "Access-Control-Allow-Origin: *\r\n"); };
  EXPECT_EQ(gateway_.get("/proxy/off/a", kApp).field("access-control-allow-origin"), "*");  // its own business
}

TEST_F(Cors, AnOptionsThatIsNoPreflightIsARequestLikeOthers) {
  EXPECT_EQ(ask("OPTIONS", "/llm/s/v1/models", kApp).status, 401);
  EXPECT_EQ(ask("OPTIONS", "/llm/s/v1/models", "Access-Control-Request-Method: POST\r\n").status, 401);
  const std::string key = "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n";
  EXPECT_EQ(ask("OPTIONS", "/llm/s/v1/models", kApp + key).status, 200);
  EXPECT_EQ(upstream_.last().method, "OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "/proxy/off/a", key + kApp + "Access-Control-Request-Method: GET\r\n").status, 200);
}

}  // namespace
}  // namespace akr
