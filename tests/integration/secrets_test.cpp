// secrets_test.cpp - what must not leave: upstream keys towards clients and logs (behaviour.md scenario 50), the
// client's credentials and identity towards upstreams (scenario 51).
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;
using test::CapturedOutput;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kKeyField;
using test::TestGateway;
using test::UpstreamCall;

std::string all_files(const std::filesystem::path& directory) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    all += text.str();
  }
  return all;
}

// The first place where `needle` stands, with what stands before it; "" if it does not.
std::string around(const std::string& text, std::string_view needle) {
  const auto at = text.find(needle);
  return at == std::string::npos ? "" : text.substr(at < 300 ? 0 : at - 300, 340);
}

// An upstream that hands back everything it got, in head and body, with the status its path asks for.
void echo_everything(UpstreamCall& call) {
  const std::string& target = call.request().target;
  if (target.find("garbage") != std::string::npos) {
    call.send(call.request().head);
    return call.close();
  }
  if (target.find("cut") != std::string::npos) {
    call.send("HTTP/1.1 500 " + call.request().field("authorization") + "\r\nContent-Length: 10000\r\n\r\n" +
              call.request().head);
    return call.close();
  }
  if (target.find("silent") != std::string::npos) {
    call.wait_for_close();
    return;
  }
  const int status = target.find("401") != std::string::npos   ? 401
                     : target.find("429") != std::string::npos ? 429
                                                               : 400;
  call.answer(status, "you sent " + call.request().head,
              "X-Echo: " + call.request().field("authorization") + "\r\nX-Echo-Url: " + target + "\r\n");
}

struct Mode {
  const char* slug;
  bool llm;
  const char* more;
};

TEST(Secrets, CanaryKeysAppearNowhere) {
  constexpr std::string_view kCanary = "upstream-key-";  // every key of TestGateway begins so
  std::string answers;
  std::string log;
  std::string files;
  int requests = 0;
  {
    const CapturedOutput output;  // also takes reports of gtest, so nothing is expected in here
    FakeUpstream upstream(echo_everything);
    TestGateway gateway({{"LOG_LEVEL", "debug"}, {"ACCESS_LOG", "true"}});
    const std::string limits = R"(,"first_byte_timeout_ms":100)";
    for (const Mode& mode :
         {Mode{"header", false, ""}, Mode{"query", false, R"(,"api_key_location":"query","api_key_name":"key")"},
          Mode{"llm", true, ""}}) {
      gateway.add_service(
          {.slug = mode.slug, .target_url = upstream.url(), .keys = 10, .llm = mode.llm, .more = mode.more + limits});
      const std::string base = std::string(mode.llm ? "/llm/" : "/proxy/") + mode.slug;
      for (const char* path : {"/400", "/garbage", "/silent", "/cut", "/401", "/429"}) {
        const HttpAnswer answer = gateway.post(base + path, "{}");
        answers += answer.head + answer.body;
      }
    }
    for (const char* path : {"/metrics", "/readyz", "/", "/healthz"}) answers += gateway.get(path).body;
    answers += gateway.admin("GET", "/admin/proxy-configs").body;
    for (int id = 1; id <= 3; ++id) {
      answers += gateway.admin("GET", "/admin/proxy-configs/" + std::to_string(id) + "/keys").body;
    }
    requests = upstream.requests();
    gateway.app().drain([] { return false; });
    gateway.stop();
    log = output.text();
    files = all_files(gateway.directory().path());
  }
  EXPECT_GT(requests, 20);
  EXPECT_NE(log.find("\"path\":\"/llm/llm/400\""), std::string::npos) << "no access log to look at";
  EXPECT_EQ(around(log, kCanary), "");
  EXPECT_EQ(around(answers, kCanary), "");
  EXPECT_EQ(files.find(kCanary), std::string::npos);
  EXPECT_EQ(log.find(TestGateway::kAccessKey), std::string::npos);
  EXPECT_EQ(log.find(TestGateway::kPassword), std::string::npos);
  EXPECT_EQ(files.find(TestGateway::kPassword), std::string::npos);
}

TEST(Secrets, QueryValuesAreNotLogged) {
  std::string log;
  std::string target;
  {
    const CapturedOutput output;
    FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
    TestGateway gateway({{"ACCESS_LOG", "true"}});
    gateway.add_service({.target_url = upstream.url()});
    gateway.client().ask(
        TestGateway::request("GET", "/proxy/s/a?key=" + std::string(TestGateway::kAccessKey) + "&token=t0ps3cret"));
    gateway.app().drain([] { return false; });
    gateway.stop();
    log = output.text();
    target = upstream.last().target;
  }
  EXPECT_EQ(target, "/a?token=t0ps3cret");
  EXPECT_NE(log.find("\"path\":\"/proxy/s/a\""), std::string::npos);
  EXPECT_EQ(log.find("t0ps3cret"), std::string::npos);
  EXPECT_EQ(log.find(TestGateway::kAccessKey), std::string::npos);
}

// ---- egress

const std::string kIdentity =
    "X-Forwarded-For: 10.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 10.1.1.1\r\nForwarded: for=10.1.1.1\r\n"
    "CF-Connecting-IP: 10.1.1.1\r\nCookie: session=1\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\n"
    "X-Rotator-Test: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\nOpenAI-Organization: org-client\r\n"
    "Connection: x-secret\r\nX-Secret: 1\r\n";

void expect_clean(const test::SeenRequest& request) {
  for (const char* name :
       {"x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "cf-connecting-ip", "cookie",
        "proxy-authorization", "proxy-connection", "x-rotator-test", "te", "keep-alive", "openai-organization",
        "connection", "x-secret", "x-proxy-key", "x-goog-api-key", "api-key", "via", "expect"}) {
    EXPECT_EQ(request.count(name), 0U) << name;
  }
  EXPECT_EQ(request.head.find(TestGateway::kAccessKey), std::string::npos) << request.head;
  EXPECT_EQ(request.head.find("10.1.1.1"), std::string::npos);
}

TEST(Egress, ClientsCredentialsAndIdentityStayHere) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway gateway;
  const std::string own(TestGateway::kAccessKey);
  gateway.add_service({.target_url = upstream.url("/base"), .keys = 1});
  const std::string everywhere = "Authorization: Bearer " + own + "\r\nx-api-key: " + own +
                                 "\r\nx-goog-api-key: " + own + "\r\napi-key: " + own +
                                 "\r\nUser-Agent: sdk/1\r\nX-Other: kept\r\n" + kIdentity;
  const HttpAnswer answer = gateway.get("/proxy/s/p?a=1&key=" + own + "&b=%2F", everywhere);
  EXPECT_EQ(answer.status, 200);
  const auto request = upstream.last();
  expect_clean(request);
  EXPECT_EQ(request.target, "/base/p?a=1&b=%2F");
  EXPECT_EQ(request.field("host"), "127.0.0.1:" + std::to_string(upstream.port()));
  EXPECT_EQ(request.count("authorization"), 1U);
  EXPECT_EQ(request.field("authorization"), "Bearer " + TestGateway::key("s", 1));
  EXPECT_EQ(request.count("x-api-key"), 0U);
  EXPECT_EQ(request.field("user-agent"), "sdk/1");
  EXPECT_EQ(request.field("x-other"), "kept");
}

TEST(Egress, ExactlyOneCredentialInTheFormatsOwnPlace) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "{}"); });
  TestGateway gateway;
  const std::pair<std::string, std::string> formats[] = {
      {"openai_compatible", "authorization"}, {"anthropic_native", "x-api-key"}, {"gemini_native", "x-goog-api-key"}};
  for (const auto& [format, field] : formats) {
    gateway.add_service({.slug = format, .target_url = upstream.url(), .llm = true, .api_format = format});
    const std::string own(TestGateway::kAccessKey);
    const HttpAnswer answer =
        gateway.post("/llm/" + format + "/v1/x?key=" + own, "{}",
                     "Authorization: Bearer " + own + "\r\nx-api-key: " + own + "\r\nx-goog-api-key: " + own +
                         "\r\nAccept-Encoding: gzip\r\n" + kIdentity);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto request = upstream.last();
    EXPECT_EQ(request.head.find(own), std::string::npos) << request.head;
    std::size_t credentials = 0;
    for (const char* name : {"authorization", "x-api-key", "x-goog-api-key", "api-key", "x-anthropic-api-key"}) {
      credentials += request.count(name);
    }
    EXPECT_EQ(credentials, 1U) << request.head;
    EXPECT_NE(request.field(field).find(TestGateway::key(format, 1)), std::string::npos) << request.head;
    EXPECT_EQ(request.field("accept-encoding"), "identity");
    EXPECT_EQ(request.target.find("key="), std::string::npos) << request.target;
  }
}

TEST(Egress, TheInjectedHeaderCannotBeDroppedByTheClient) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway gateway;
  gateway.add_service(
      {.target_url = upstream.url(), .more = R"(,"api_key_location":"header","api_key_name":"X-Token")"});
  EXPECT_EQ(gateway.get("/proxy/s/a", "Connection: X-Token, close\r\nX-Token: mine\r\n").status, 200);
  EXPECT_EQ(upstream.last().count("x-token"), 1U);
  EXPECT_EQ(upstream.last().field("x-token"), TestGateway::key("s", 1));
}

TEST(Egress, TheKeyInTheQueryReplacesTheClientsParameter) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway gateway;
  gateway.add_service(
      {.target_url = upstream.url("/b?fixed=1"), .more = R"(,"api_key_location":"query","api_key_name":"token")"});
  EXPECT_EQ(gateway.get("/proxy/s/a?token=mine&x=%20&token=2").status, 200);
  EXPECT_EQ(upstream.last().target, "/b/a?fixed=1&x=%20&token=" + TestGateway::key("s", 1));
  EXPECT_EQ(upstream.last().count("authorization"), 0U);
}

}  // namespace
}  // namespace akr
