// client_credentials_test.cpp - what clients present (D29): stale credentials beside an access key, keys in a service's
// own place and in a browser's websocket; and that nothing of it reaches an upstream.
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::TestGateway;
using test::UpstreamCall;

const std::string kAccess(TestGateway::kAccessKey);
constexpr std::string_view kJsonType = "Content-Type: application/json\r\n";

class ClientCredentials : public testing::Test {
 protected:
  ClientCredentials() {
    script_ = [](UpstreamCall& call) { call.answer(200, "{}", kJsonType); };
  }
  // With these fields and no other credential.
  HttpAnswer ask(const std::string& target, const std::string& fields, std::string_view body = {}) {
    HttpClient client = gateway_.client();
    return client.ask(TestGateway::request(body.empty() ? "GET" : "POST", target, fields, body));
  }
  void expect_no_secret_went_up() const {
    for (const auto& request : upstream_.seen()) {
      for (const std::string& secret : {kAccess, std::string("stale")}) {
        EXPECT_EQ((request.head + request.body).find(secret), std::string::npos) << request.head;
      }
    }
  }
  test::ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  TestGateway gateway_;
};

// A gateway token and a cached provider key in one request were a conflict: Claude Code could not be used at all.
TEST_F(ClientCredentials, AStaleOneNeitherShutsOutNorTravels) {
  gateway_.add_service({.target_url = upstream_.url(), .llm = true, .api_format = "anthropic_native"});
  gateway_.add_service({.slug = "g", .target_url = upstream_.url(), .llm = true, .api_format = "gemini_native"});
  EXPECT_EQ(ask("/llm/s/v1/models", "Authorization: Bearer " + kAccess + "\r\nx-api-key: stale-1\r\n").status, 200);
  EXPECT_EQ(ask("/llm/s/v1/models", "x-api-key: " + kAccess + "\r\nAuthorization: Bearer stale-2\r\n").status, 200);
  EXPECT_EQ(ask("/llm/g/v1beta/models?key=stale-3&a=1", "X-Proxy-Key: " + kAccess + "\r\n").status, 200);
  EXPECT_EQ(upstream_.last().target, "/v1beta/models?a=1");
  EXPECT_EQ(ask("/llm/g/v1beta/models?key=" + kAccess, "x-goog-api-key: stale-4\r\n").status, 200);
  EXPECT_EQ(ask("/llm/s/v1/models", "x-api-key: stale-5\r\nAuthorization: Bearer stale-6\r\n").status, 401);
  EXPECT_EQ(upstream_.requests(), 4);
  expect_no_secret_went_up();
}

// Any access key could switch off a Gemini service with "?access_token=x": it travelled on, the provider refused it and
// our key was found invalid.  The kind: what a client brings beside our credential is judged as ours.
TEST_F(ClientCredentials, NoOtherPlaceOfACredentialTravels) {
  gateway_.add_service({.slug = "g", .target_url = upstream_.url(), .llm = true, .api_format = "gemini_native"});
  gateway_.add_service({.slug = "a", .target_url = upstream_.url(), .llm = true, .api_format = "azure"});
  const std::string access = "X-Proxy-Key: " + kAccess + "\r\n";
  for (const char* query : {"access_token=stale", "access%5Ftoken=stale", "oauth_token=stale", "%6fauth_token=stale",
                            "bearer_token=stale", "$key=stale", "%24key=stale", "key=", "$userProject=stale",
                            "$httpHeaders=Authorization%3AstaleX", "%24httpMethod=DELETE", "$req=stale", "$ct=stale"}) {
    EXPECT_EQ(ask("/llm/g/v1beta/models?a=1&" + std::string(query), access).status, 200) << query;
    EXPECT_EQ(upstream_.last().target, "/v1beta/models?a=1") << query;
  }
  for (const char* query : {"api-key=stale", "API-KEY=stale", "api%2Dkey=stale", "subscription-key=stale"}) {
    EXPECT_EQ(ask("/llm/a/openai/v1/models?api-version=v1&" + std::string(query), access).status, 200) << query;
    EXPECT_EQ(upstream_.last().target, "/openai/v1/models?api-version=v1") << query;
  }
  for (const char* field : {"X-Goog-Iam-Authorization-Token", "X-Goog-Authuser", "X-Goog-User-Project",
                            "X-Goog-Upload-Header-Authorization", "Authorization", "X-Goog-Api-Key"})
    EXPECT_EQ(ask("/llm/g/v1beta/models", access + field + ": stale\r\n").status, 200) << field;
  for (const char* field : {"Ocp-Apim-Subscription-Key", "Authorization", "Api-Key"})
    EXPECT_EQ(ask("/llm/a/openai/v1/models", access + field + ": stale\r\n").status, 200) << field;
  expect_no_secret_went_up();
}

// "X-HTTP-Method-Override: GET" made a list of what was sent as making something.
TEST_F(ClientCredentials, NoFieldChangesTheMethod) {
  gateway_.add_service({.target_url = upstream_.url(), .llm = true});
  gateway_.add_service({.slug = "g", .target_url = upstream_.url(), .llm = true, .api_format = "gemini_native"});
  const std::string access = "X-Proxy-Key: " + kAccess + "\r\n";
  for (const char* path : {"/llm/s/v1/files", "/llm/g/v1beta/files"}) {
    for (const char* field : {"X-HTTP-Method-Override", "x-http-method", "X-Method-Override"}) {
      EXPECT_EQ(ask(std::string(path) + "?_method=GET&$method=GET", access + field + ": GET\r\n", "{}").status, 200);
      EXPECT_EQ(upstream_.last().field(field), "") << field;
      EXPECT_EQ(upstream_.last().target.find('?'), std::string::npos) << upstream_.last().target;
    }
  }
}

// With accept_body_key a stale Bearer, which stock clients always send, hid the key in the body.
TEST_F(ClientCredentials, AStaleOneBesideAKeyInTheBody) {
  gateway_.add_service({.target_url = upstream_.url(), .llm = true, .more = R"(,"accept_body_key":true)"});
  const std::string path = "/llm/s/v1/chat/completions";
  const std::string stale = std::string(kJsonType) + "Authorization: Bearer stale-1\r\n";
  EXPECT_EQ(ask(path, stale, R"({"api_key":")" + kAccess + R"(","model":"m"})").status, 200);
  EXPECT_EQ(upstream_.last().body, R"({"model":"m"})");
  // Nor does a stale one in the query travel on.
  EXPECT_EQ(ask(path + "?key=stale-2&beta=1", std::string(kJsonType), R"({"api_key":")" + kAccess + R"(","model":"m"})")
                .status,
            200);
  EXPECT_EQ(upstream_.last().target.find("stale-2"), std::string::npos) << upstream_.last().target;
  EXPECT_NE(upstream_.last().target.find("beta=1"), std::string::npos);
  const HttpAnswer refused = ask(path, stale, R"({"model":"m"})");
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("not known here"), std::string::npos) << refused.body;
  expect_no_secret_went_up();
}

// Stock clients of REST APIs (DeepL, Etherscan) put their key where the API wants it, and were refused.
TEST_F(ClientCredentials, AGenericServicesOwnPlace) {
  gateway_.add_service(
      {.target_url = upstream_.url(), .more = R"(,"api_key_name":"Authorization","api_key_prefix":"DeepL-Auth-Key ")"});
  gateway_.add_service(
      {.slug = "q", .target_url = upstream_.url(), .more = R"(,"api_key_location":"query","api_key_name":"apikey")"});
  EXPECT_EQ(ask("/proxy/s/v2/usage", "Authorization: DeepL-Auth-Key " + kAccess + "\r\n").status, 200);
  EXPECT_EQ(upstream_.last().field("authorization"), "DeepL-Auth-Key " + TestGateway::key("s", 1));
  EXPECT_EQ(upstream_.last().count("authorization"), 1U);
  EXPECT_EQ(ask("/proxy/q/api?a=1&apikey=" + kAccess + "&b=2", "").status, 200);
  EXPECT_EQ(upstream_.last().target, "/api?a=1&b=2&apikey=" + TestGateway::key("q", 1));
  EXPECT_EQ(ask("/proxy/q/api?apikey=stale-1", "").status, 401);
  expect_no_secret_went_up();
}

// What stands in the asked service's own place is a credential, and a fallback with another place would pass it on.
TEST_F(ClientCredentials, TheOwnPlaceOfTheAskedServiceIsNotAFallbacksBusiness) {
  const auto other = gateway_.add_service({.slug = "other", .target_url = upstream_.url()});
  const std::string fallback = R"(,"fallbacks":[)" + std::to_string(other) + "]";
  gateway_.add_service(
      {.slug = "h", .target_url = upstream_.url(), .keys = 0, .more = R"(,"api_key_name":"X-Token")" + fallback});
  gateway_.add_service({.slug = "q",
                        .target_url = upstream_.url(),
                        .keys = 0,
                        .more = R"(,"api_key_location":"query","api_key_name":"apikey")" + fallback});
  EXPECT_EQ(ask("/proxy/h/a", "X-Token: " + kAccess + "\r\n").status, 200);
  EXPECT_EQ(ask("/proxy/h/a", "X-Token: stale\r\nX-Proxy-Key: " + kAccess + "\r\n").status, 200);
  EXPECT_EQ(ask("/proxy/q/a?b=1&apikey=" + kAccess, "").status, 200);
  EXPECT_EQ(upstream_.last().target, "/a?b=1");
  EXPECT_EQ(upstream_.last().field("authorization"), "Bearer " + TestGateway::key("other", 1));
  expect_no_secret_went_up();
}

// The upstream chooses the subprotocol that its script names.
FakeUpstream::Script choosing(std::string chosen) {
  return [chosen = std::move(chosen)](UpstreamCall& call) {
    call.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
              (chosen.empty() ? "" : "Sec-WebSocket-Protocol: " + chosen + "\r\n") + "\r\n");
    call.close();
  };
}

// A browser's realtime client was refused; and with `?key=` the access key went to the provider in the subprotocol.
TEST_F(ClientCredentials, ABrowsersWebsocket) {
  gateway_.add_service({.target_url = upstream_.url(), .llm = true});
  const std::string upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://localhost:5173\r\n";
  const std::string offer = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + kAccess +
                            ", openai-organization.stale-org, openai-beta.realtime-v1\r\n";
  for (const std::string& query : {std::string(), "&key=" + kAccess}) {
    script_ = choosing("realtime");
    const HttpAnswer answer = ask("/llm/s/v1/realtime?model=m" + query, upgrade + offer);
    EXPECT_EQ(answer.status, 101);
    EXPECT_EQ(answer.field("sec-websocket-protocol"), "realtime");
    EXPECT_EQ(upstream_.last().field("sec-websocket-protocol"), "realtime, openai-beta.realtime-v1");
    EXPECT_EQ(upstream_.last().target, "/v1/realtime?model=m");
    EXPECT_EQ(upstream_.last().field("sec-websocket-version"), "13");
    script_ = choosing("something-else");
    EXPECT_EQ(ask("/llm/s/v1/realtime", upgrade + offer).count("sec-websocket-protocol"), 0U);
  }
  script_ = choosing("");
  const std::string alone = "Sec-WebSocket-Protocol: openai-insecure-api-key." + kAccess + "\r\n";
  EXPECT_EQ(ask("/llm/s/v1/realtime", upgrade + alone).status, 101);
  EXPECT_EQ(upstream_.last().count("sec-websocket-protocol"), 0U);
  expect_no_secret_went_up();
}

// The key went up in an odd spelling of its subprotocol.  The kind: a list that we and its writer read differently.
TEST_F(ClientCredentials, AnOddListOfSubprotocolsIsRefused) {
  gateway_.add_service({.target_url = upstream_.url(), .llm = true});
  script_ = choosing("realtime");
  const std::string upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string mark = "openai-insecure-api-key";
  for (const std::string& odd : {'"' + mark + "." + kAccess + '"', mark + " ." + kAccess, mark + ".," + kAccess,
                                 "OPENAI_insecure_api_key." + kAccess, "token, " + kAccess}) {
    const HttpAnswer answer =
        ask("/llm/s/v1/realtime?key=" + kAccess,
            upgrade + "Sec-WebSocket-Protocol: realtime\r\nSec-WebSocket-Protocol: " + odd + "\r\n");
    EXPECT_EQ(answer.status, 400) << odd;
    EXPECT_NE(answer.body.find("Sec-WebSocket-Protocol"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(upstream_.requests(), 0);
}

}  // namespace
}  // namespace akr
