// errors_test.cpp - bad input and faults: a clear error each, with its status, its source and a body in the client's
// dialect.
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"
#include "tests/support/silent_port.hpp"

namespace akr {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::kKeyField;
using test::TestGateway;
using test::UpstreamCall;

class Errors : public testing::Test {
 protected:
  // Generic services: the `code` and `detail` of our own body.
  static void expect_own(const HttpAnswer& answer, int status, const std::string& code) {
    EXPECT_EQ(answer.status, status) << answer.head << answer.body;
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
    EXPECT_EQ(answer.field("content-type"), "application/json; charset=utf-8");
    if (answer.status == 0) return;
    const auto body = json::parse(answer.body).as_object();
    EXPECT_EQ(std::string(body.at("code").as_string()), code) << answer.body;
    EXPECT_FALSE(body.at("detail").as_string().empty());
  }
  static std::string detail(const HttpAnswer& answer) {
    return std::string(json::parse(answer.body).as_object().at("detail").as_string());
  }

  test::ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  static inline const std::string kOther = "other-access-key-0123456789";
  TestGateway gateway_{
      {{"MAX_BODY_SIZE", "100000"}, {"GLOBAL_PROXY_KEYS", std::string(TestGateway::kAccessKey) + "," + kOther}}};
};

TEST_F(Errors, UnknownSlugIs404) {
  expect_own(gateway_.get("/proxy/nothing/a"), 404, "service_not_found");
  expect_own(gateway_.get("/proxy/"), 404, "service_not_found");
}

TEST_F(Errors, DisabledServiceIs404AsIfItWereNotThere) {
  gateway_.add_service({.target_url = upstream_.url(), .more = R"(,"is_active":false)"});
  expect_own(gateway_.get("/proxy/s/a"), 404, "service_not_found");
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Errors, EachTypeHasItsOwnPrefix) {
  gateway_.add_service({.target_url = upstream_.url()});
  EXPECT_EQ(gateway_.get("/llm/s/v1/models").status, 404);
}

TEST_F(Errors, WrongMethodIs405WithAllow) {
  gateway_.add_service({.target_url = upstream_.url(), .method = "GET,HEAD"});
  const HttpAnswer answer = gateway_.post("/proxy/s/a", "x");
  expect_own(answer, 405, "method_not_allowed");
  EXPECT_EQ(answer.field("allow"), "GET, HEAD");
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Errors, TraceIsNeverProxied) {
  gateway_.add_service({.target_url = upstream_.url()});
  const HttpAnswer answer = gateway_.client().ask(TestGateway::request("TRACE", "/proxy/s/a", kKeyField));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Errors, MissingAccessKeyIs401WithThePlaces) {
  gateway_.add_service({.target_url = upstream_.url()});
  const HttpAnswer answer = gateway_.client().ask(TestGateway::request("GET", "/proxy/s/a"));
  expect_own(answer, 401, "invalid_proxy_key");
  for (const char* place : {"X-Proxy-Key", "Authorization: Bearer", "x-api-key", "x-goog-api-key", "?key="}) {
    EXPECT_NE(answer.body.find(place), std::string::npos) << place;
  }
  EXPECT_EQ(answer.field("www-authenticate"), "Bearer");
}

TEST_F(Errors, WrongAccessKeyIs401AndTwoThatDisagreeAre400) {
  gateway_.add_service({.target_url = upstream_.url()});
  const auto ask = [&](const std::string& fields) {
    return gateway_.client().ask(TestGateway::request("GET", "/proxy/s/a", fields));
  };
  expect_own(ask("X-Proxy-Key: wrong-key\r\n"), 401, "invalid_proxy_key");
  expect_own(ask("X-Proxy-Key: \r\n"), 401, "invalid_proxy_key");
  expect_own(ask(kKeyField + "Authorization: Bearer " + kOther + "\r\n"), 400, "conflicting_credentials");
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Errors, NoKeysIs503) {
  gateway_.add_service({.target_url = upstream_.url(), .keys = 0});
  expect_own(gateway_.get("/proxy/s/a"), 503, "no_keys_configured");
}

TEST_F(Errors, MalformedHttpIs400AndClosed) {
  HttpClient client = gateway_.client();
  client.send("GET /proxy/s/a HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n");
  expect_own(client.receive(), 400, "bad_request");
  EXPECT_TRUE(client.closes());
}

TEST_F(Errors, OversizedHeadIs431) {
  HttpClient client = gateway_.client();
  client.send("GET /proxy/s/a HTTP/1.1\r\nHost: h\r\nA: " + std::string(70'000, 'a') + "\r\n\r\n");
  EXPECT_EQ(client.receive().status, 431);
  EXPECT_TRUE(client.closes());
  HttpClient fields = gateway_.client();
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  fields.send("GET /proxy/s/a HTTP/1.1\r\nHost: h\r\n" + many + "\r\n");
  EXPECT_EQ(fields.receive().status, 431);
}

TEST_F(Errors, OversizedBodyIs413WithoutUpstreamContact) {
  gateway_.add_service({.target_url = upstream_.url()});
  HttpClient known = gateway_.client();
  known.send(TestGateway::request("POST", "/proxy/s/a", kKeyField + "Content-Length: 100001\r\n"));
  expect_own(known.receive(), 413, "body_too_large");
  HttpClient growing = gateway_.client();
  growing.send(TestGateway::request("POST", "/proxy/s/a", kKeyField + "Transfer-Encoding: chunked\r\n"));
  growing.send("186a1\r\n" + std::string(100'001, 'x') + "\r\n0\r\n\r\n");
  expect_own(growing.receive(), 413, "body_too_large");
  EXPECT_EQ(gateway_.post("/proxy/s/a", std::string(100'000, 'x')).status, 200);
  EXPECT_EQ(upstream_.requests(), 1);
}

TEST_F(Errors, BrokenChunksAre400) {
  gateway_.add_service({.target_url = upstream_.url()});
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("POST", "/proxy/s/a", kKeyField + "Transfer-Encoding: chunked\r\n") + "0x5\r\n");
  expect_own(client.receive(), 400, "bad_request");
  EXPECT_TRUE(client.closes());
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Errors, PathsThatClimbAre400) {
  gateway_.add_service({.target_url = upstream_.url("/base")});
  for (const char* path : {"/proxy/s/../x", "/proxy/s/%2e%2e/x", "/proxy/s/..%2fx", "/proxy/s/%252e%252e/x",
                           "/proxy/s/a%0d%0ab", "/proxy/s/a%00", "/proxy/s/%zz"}) {
    expect_own(gateway_.get(path), 400, "path_refused");
  }
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Errors, SilentUpstreamIs504NamingTheTimer) {
  script_ = [](UpstreamCall& call) { call.wait_for_close(); };
  gateway_.add_service({.slug = "first", .target_url = upstream_.url(), .more = R"(,"first_byte_timeout_ms":150)"});
  gateway_.add_service({.slug = "total", .target_url = upstream_.url(), .more = R"(,"total_timeout_ms":150)"});
  const auto began = steady_clock::now();
  const HttpAnswer first = gateway_.post("/proxy/first/a", "x");
  expect_own(first, 504, "upstream_timeout");
  EXPECT_NE(detail(first).find("'first_byte' of 150 ms"), std::string::npos) << detail(first);
  const HttpAnswer total = gateway_.get("/proxy/total/a");
  expect_own(total, 504, "upstream_timeout");
  EXPECT_NE(detail(total).find("'total' of 150 ms"), std::string::npos) << detail(total);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_F(Errors, UpstreamThatDoesNotAcceptIs504WithinTheConnectTimeout) {
  test::SilentPort silent;
  gateway_.add_service({.target_url = "http://127.0.0.1:" + std::to_string(silent.port()),
                        .more = R"(,"connect_timeout_ms":150,"max_attempts":1)"});
  const HttpAnswer answer = gateway_.get("/proxy/s/a");
  expect_own(answer, 504, "upstream_connect_timeout");
}

TEST_F(Errors, RefusedConnectionIs502) {
  std::uint16_t port = 0;
  ::close(test::listen_on_loopback(1, port));
  gateway_.add_service({.target_url = "http://127.0.0.1:" + std::to_string(port)});
  expect_own(gateway_.get("/proxy/s/a"), 502, "upstream_connect_failed");
}

TEST_F(Errors, UpstreamGarbageIs502AndNothingOfItLeaks) {
  gateway_.add_service({.target_url = upstream_.url(), .more = R"(,"max_attempts":1)"});
  for (const std::string garbage :
       {"<html>secret page</html>\r\n\r\n", "HTTP/1.1 2000 No\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    script_ = [garbage](UpstreamCall& call) {
      call.send(garbage);
      call.close();
    };
    const HttpAnswer answer = gateway_.get("/proxy/s/a");
    expect_own(answer, 502, "upstream_protocol_error");
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  }
}

TEST_F(Errors, UpstreamThatClosesBeforeItsHeadIs502) {
  gateway_.add_service({.target_url = upstream_.url(), .more = R"(,"max_attempts":1)"});
  script_ = [](UpstreamCall& call) { call.close(); };
  expect_own(gateway_.post("/proxy/s/a", "x"), 502, "upstream_closed");
  script_ = [](UpstreamCall& call) { call.reset(); };
  expect_own(gateway_.post("/proxy/s/a", "x"), 502, "upstream_closed");
  script_ = [](UpstreamCall& call) {
    call.send("HTTP/1.1 200 OK\r\nContent-");
    call.close();
  };
  expect_own(gateway_.post("/proxy/s/a", "x"), 502, "upstream_closed");
}

TEST_F(Errors, UpstreamErrorsGoThroughWithTheirSource) {
  gateway_.add_service({.target_url = upstream_.url()});
  script_ = [](UpstreamCall& call) { call.answer(418, "short and stout", "X-Own: 1\r\n"); };
  const HttpAnswer answer = gateway_.get("/proxy/s/a");
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "short and stout");
  EXPECT_EQ(answer.field("x-own"), "1");
  EXPECT_EQ(answer.field("x-rotator-error-source"), "upstream");
}

TEST_F(Errors, RedirectsAreRelayedNotFollowed) {
  FakeUpstream other([](UpstreamCall& call) { call.answer(200, "never"); });
  gateway_.add_service({.target_url = upstream_.url()});
  script_ = [&](UpstreamCall& call) { call.answer(302, "", "Location: " + other.url("/x") + "\r\n"); };
  const HttpAnswer answer = gateway_.get("/proxy/s/a");
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.field("location"), other.url("/x"));
  EXPECT_EQ(other.connections(), 0);
}

// ---- dialects

TEST_F(Errors, OpenAiClientsGetOpenAiErrors) {
  gateway_.add_service({.target_url = upstream_.url(), .keys = 0, .llm = true});
  const HttpAnswer answer = gateway_.post("/llm/s/v1/chat/completions", "{}");
  EXPECT_EQ(answer.status, 503);
  const auto error = json::parse(answer.body).as_object().at("error").as_object();
  EXPECT_EQ(error.at("code").as_string(), "no_keys_configured");
  EXPECT_TRUE(error.contains("message") && error.contains("type") && error.contains("param"));
}

TEST_F(Errors, AnthropicClientsGetAnthropicErrors) {
  gateway_.add_service({.target_url = upstream_.url(), .keys = 0, .llm = true, .api_format = "anthropic_native"});
  const HttpAnswer answer = gateway_.client().ask(TestGateway::request("GET", "/llm/s/v1/models"));
  EXPECT_EQ(answer.status, 401);
  const auto body = json::parse(answer.body).as_object();
  EXPECT_EQ(body.at("type").as_string(), "error");
  EXPECT_EQ(body.at("error").as_object().at("type").as_string(), "authentication_error");
}

TEST_F(Errors, GeminiClientsGetGeminiErrors) {
  gateway_.add_service({.target_url = upstream_.url(), .keys = 0, .llm = true, .api_format = "gemini_native"});
  const HttpAnswer answer = gateway_.client().ask(TestGateway::request("GET", "/llm/s/v1beta/models?key=wrong"));
  EXPECT_EQ(answer.status, 401);
  const auto error = json::parse(answer.body).as_object().at("error").as_object();
  EXPECT_EQ(error.at("code").as_int64(), 401);
  EXPECT_EQ(error.at("status").as_string(), "UNAUTHENTICATED");
}

// ---- ids

TEST_F(Errors, EveryAnswerCarriesARequestId) {
  gateway_.add_service({.target_url = upstream_.url()});
  EXPECT_EQ(gateway_.get("/proxy/s/a", "X-Request-Id: my-id_1\r\n").field("x-request-id"), "my-id_1");
  const HttpAnswer strange = gateway_.get("/proxy/nothing/a", "X-Request-Id: <script>\r\n");
  EXPECT_EQ(strange.field("x-request-id").size(), 13U);
  EXPECT_NE(strange.body.find(strange.field("x-request-id")), std::string::npos);
  EXPECT_EQ(gateway_.get("/healthz").count("x-request-id"), 1U);
}

TEST_F(Errors, OperationsAnswer) {
  EXPECT_EQ(gateway_.get("/healthz").status, 200);
  EXPECT_EQ(gateway_.get("/readyz").status, 200);
  EXPECT_EQ(gateway_.get("/").status, 200);
  EXPECT_EQ(gateway_.get("/nothing").status, 404);
  EXPECT_EQ(gateway_.post("/healthz", "x").status, 405);
}

}  // namespace
}  // namespace akr
