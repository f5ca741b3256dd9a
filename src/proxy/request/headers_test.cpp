#include "proxy/request/headers.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/example_config.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

using test::RequestFixture;

Service rest_service() {
  Service service = example_service("s");
  service.methods.clear();
  service.target_url = "https://up.example:8443/base";
  service.key_placement = KeyPlacement{KeyLocation::kHeader, "X-Token", "Key "};
  return service;
}

Service llm_service(const std::string& format) {
  Service service = rest_service();
  service.type = ServiceType::kLlm;
  service.api_format = format;
  service.key_placement.reset();
  return service;
}

struct Sent {
  std::string target = "/base/a";
  bool upgrade = false;
  std::string body;
};

// The head that goes up for `request`.
std::string up(const Service& service, const std::string& request, const Sent& sent = {}) {
  std::string out;
  RequestFixture(service).run(request, [&](RequestContext& ctx) {
    PreparedRequest prepared(ctx.client, "/tmp");
    prepared.upstream.target = sent.target;
    prepared.upgrade = sent.upgrade;
    prepared.body.set_view(sent.body);
    PooledKey key;
    key.secret = Secret("sk+secret/1");
    compose_request_head(ctx, prepared, ctx.served, key, out);
  });
  return out;
}

std::string get(const std::string& fields, const std::string& path = "/proxy/s/a") {
  return "GET " + path + " HTTP/1.1\r\nHost: gateway\r\n" + fields + "\r\n";
}

TEST(RequestHead, IsTheClientsWithOurHostAndOneCredential) {
  EXPECT_EQ(
      up(rest_service(), get("User-Agent: x\r\nAccept:  */* \r\nX-Proxy-Key: k\r\nAccept-Encoding: gzip\r\nB: c\r\n")),
      "GET /base/a HTTP/1.1\r\nHost: up.example:8443\r\nUser-Agent: x\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nB: "
      "c\r\n"
      "X-Token: Key sk+secret/1\r\n\r\n");
}

// D08: one row per field that must not travel.
TEST(RequestHead, DropsHopByHopFieldsCredentialsAndIdentity) {
  const std::string bare = up(rest_service(), get(""));
  for (const char* field : {"Connection: keep-alive",
                            "Keep-Alive: 5",
                            "Proxy-Connection: close",
                            "TE: trailers",
                            "Trailer: X",
                            "Upgrade: h2c",
                            "Authorization: Bearer k",
                            "X-Api-Key: k",
                            "X-Anthropic-Api-Key: k",
                            "Api-Key: k",
                            "X-Goog-Api-Key: k",
                            "X-Proxy-Key: k",
                            "Cookie: a=b",
                            "Proxy-Authorization: Basic x",
                            "Forwarded: for=x",
                            "X-Forwarded-For: x",
                            "X-Forwarded-Host: x",
                            "X-Real-IP: x",
                            "CF-Ray: x",
                            "CF-Connecting-IP: x",
                            "X-Rotator-Debug: 1",
                            "OpenAI-Organization: o",
                            "OpenAI-Project: p",
                            "X-Goog-User-Project: p",
                            "X-Token: mine"}) {
    EXPECT_EQ(up(rest_service(), get(std::string(field) + "\r\n")), bare) << field;
    EXPECT_EQ(up(rest_service(), get("Connection: other\r\n" + std::string(field) + "\r\n")), bare) << field;
  }
}

// A web app's Origin travelled on, and Anthropic refused every key for it.  The kind: what describes the way from the
// browser to us is taken for the way from us to the provider.
TEST(RequestHead, WhatABrowserSaysAboutItsPageStaysHere) {
  for (const Service& service : {rest_service(), llm_service("anthropic_native"), llm_service("gemini_native")}) {
    const std::string path = service.type == ServiceType::kLlm ? "/llm/s/a" : "/proxy/s/a";
    const std::string bare = up(service, get("", path));
    for (const char* field : {"Origin: https://app.example", "Referer: https://app.example/chat", "ORIGIN: null",
                              "Sec-Fetch-Site: cross-site", "sec-fetch-mode: cors", "Sec-Fetch-Dest: empty",
                              "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-a"}) {
      EXPECT_EQ(up(service, get(std::string(field) + "\r\n", path)), bare) << field;
    }
    const std::string kept = up(service, get("Sec-CH-UA: x\r\nSec-GPC: 1\r\nHTTP-Referer: https://a\r\n", path));
    for (const char* field : {"Sec-CH-UA: x\r\n", "Sec-GPC: 1\r\n", "HTTP-Referer: https://a\r\n"}) {
      EXPECT_NE(kept.find(field), std::string::npos) << kept;
    }
  }
}

// The address we know, and never the one that the client claims.
TEST(RequestHead, TellsTheClientsAddressIfTheServiceWantsIt) {
  Service service = rest_service();
  service.forward_client_ip = true;
  EXPECT_EQ(up(service, get("X-Forwarded-For: 203.0.113.9\r\nB: c\r\n")),
            "GET /base/a HTTP/1.1\r\nHost: up.example:8443\r\nB: c\r\nX-Forwarded-For: 127.0.0.1\r\n"
            "X-Token: Key sk+secret/1\r\n\r\n");
}

TEST(RequestHead, DropsWhatConnectionNominatesButNeverOurKey) {
  EXPECT_EQ(up(rest_service(), get("Connection: X-Hop, x-token\r\nX-Hop: 1\r\nX-Stay: 2\r\n")),
            "GET /base/a HTTP/1.1\r\nHost: up.example:8443\r\nX-Stay: 2\r\nX-Token: Key sk+secret/1\r\n\r\n");
}

TEST(RequestHead, QueryKeysAreEscapedAndReplaceTheClients) {
  Service service = rest_service();
  service.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
  const auto line = [&](const std::string& target) {
    Sent sent;
    sent.target = target;
    const std::string head = up(service, get(""), sent);
    return head.substr(4, head.find(" HTTP/") - 4);
  };
  EXPECT_EQ(line("/a"), "/a?key=sk%2Bsecret%2F1");
  EXPECT_EQ(line("/a?b=1"), "/a?b=1&key=sk%2Bsecret%2F1");
  EXPECT_EQ(line("/a?key=mine&b=%20&k%65y=2"), "/a?b=%20&key=sk%2Bsecret%2F1");
}

TEST(RequestHead, KeysInThePathStandWhereTheUrlSaysSo) {
  Service service = rest_service();
  service.target_url = "https://up.example:8443/bot{key}";
  service.key_placement = KeyPlacement{.location = KeyLocation::kPath};
  const std::string head = up(service, get(""), {.target = "/bot{key}/a?b={key}"});
  EXPECT_EQ(head, "GET /botsk+secret%2F1/a?b={key} HTTP/1.1\r\nHost: up.example:8443\r\n\r\n");
}

TEST(RequestHead, NoPlaceMeansNoKey) {
  Service service = rest_service();
  service.key_placement.reset();
  EXPECT_EQ(up(service, get("")).find("sk+secret"), std::string::npos);
}

TEST(RequestHead, FormatsHaveTheirOwnPlace) {
  const std::string request = get("Accept-Encoding: gzip, br\r\n", "/llm/s/v1/x");
  EXPECT_NE(up(llm_service("openai_compatible"), request).find("\r\nauthorization: Bearer sk+secret/1\r\n"),
            std::string::npos);
  EXPECT_NE(up(llm_service("gemini_native"), request).find("\r\nx-goog-api-key: sk+secret/1\r\n"), std::string::npos);
  const std::string anthropic = up(llm_service("anthropic_native"), request);
  EXPECT_NE(anthropic.find("\r\nx-api-key: sk+secret/1\r\n"), std::string::npos);
  EXPECT_NE(anthropic.find("\r\nAccept-Encoding: identity\r\n"), std::string::npos);
  EXPECT_EQ(anthropic.find("gzip"), std::string::npos);
}

TEST(RequestHead, RequiredFieldsAreAddedOnlyWhenAbsent) {
  const std::string without = up(llm_service("anthropic_native"), get("", "/llm/s/v1/x"));
  EXPECT_NE(without.find("anthropic-version: 20"), std::string::npos) << without;
  const std::string with = up(llm_service("anthropic_native"), get("Anthropic-Version: mine\r\n", "/llm/s/v1/x"));
  EXPECT_NE(with.find("Anthropic-Version: mine\r\n"), std::string::npos);
  EXPECT_EQ(with.find("anthropic-version: 20"), std::string::npos) << with;
}

TEST(RequestHead, BodiesHaveALength) {
  const std::string post = "POST /proxy/s/a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  EXPECT_NE(up(rest_service(), post, {.body = "abc"}).find("\r\nContent-Length: 3\r\n"), std::string::npos);
  const std::string empty = up(rest_service(), "PUT /proxy/s/a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(empty.find("\r\nContent-Length: 0\r\n"), std::string::npos);
  EXPECT_EQ(up(rest_service(), get("")).find("Content-Length"), std::string::npos);
}

TEST(RequestHead, UpgradesSayIt) {
  const std::string head = up(rest_service(), get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), {.upgrade = true});
  EXPECT_NE(head.find("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos);
}

// ---- towards the client

struct Answered {
  Framing framing = Framing::kLength;
  bool keep_alive = true;
  bool streamed = false;
};

std::string down(const Service& service, const std::string& answer, const Answered& how = {}) {
  std::string out;
  RequestFixture(service).run(get(""), [&](RequestContext& ctx) {
    net::MessageHead head;
    ASSERT_EQ(head.parse_response(answer, false), net::ParseStatus::kDone);
    ctx.status = head.status();
    ctx.from_upstream = true;
    ctx.streamed = how.streamed;
    const AnswerShape shape = {.framing = how.framing, .keep_alive = how.keep_alive};
    compose_answer_head(ctx, head, shape, "sk+secret/1", out);
  });
  return out;
}

TEST(AnswerHead, IsTheUpstreamsWithOurFields) {
  EXPECT_EQ(
      down(rest_service(), "HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-A:b\r\n\r\n"),
      "HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nX-A: b\r\nX-Request-Id: id-1\r\nContent-Length: 5\r\n\r\n");
}

TEST(AnswerHead, DropsHopByHopFieldsAccountsAndCookies) {
  const std::string bare = down(rest_service(), "HTTP/1.1 200 OK\r\n\r\n", {.framing = Framing::kChunked});
  for (const char* field : {"Connection: close", "Keep-Alive: 5", "Proxy-Authenticate: x", "Trailer: x", "TE: x",
                            "Transfer-Encoding: chunked", "Upgrade: x", "OpenAI-Organization: org", "Set-Cookie: a=b",
                            "X-Rotator-Error-Source: gateway", "Connection: x-hop\r\nX-Hop: 1"}) {
    EXPECT_EQ(
        down(rest_service(), "HTTP/1.1 200 OK\r\n" + std::string(field) + "\r\n\r\n", {.framing = Framing::kChunked}),
        bare)
        << field;
  }
}

TEST(AnswerHead, KeepsCookiesWhereTheServiceAllowsThem) {
  Service service = rest_service();
  service.allow_set_cookie = true;
  const std::string head = down(service, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n");
  EXPECT_NE(head.find("Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n"), std::string::npos);
}

TEST(AnswerHead, SaysHowTheBodyEnds) {
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_NE(down(rest_service(), answer, {.framing = Framing::kChunked}).find("Transfer-Encoding: chunked\r\n"),
            std::string::npos);
  EXPECT_EQ(down(rest_service(), answer, {.framing = Framing::kClose}).find("Transfer-Encoding"), std::string::npos);
  EXPECT_NE(down(rest_service(), answer, {.keep_alive = false}).find("Connection: close\r\n\r\n"), std::string::npos);
  const std::string no_content =
      down(rest_service(), "HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n", {.framing = Framing::kNone});
  EXPECT_EQ(no_content.find("Content-Length"), std::string::npos);
}

// Of two Location fields one was rewritten, and stood behind the other one then: clients take the first.  The kind: a
// field that we write anew changes its place.
TEST(AnswerHead, RewrittenFieldsKeepTheirPlace) {
  const std::string answer =
      "HTTP/1.1 302 F\r\nX-A: 1\r\nLocation: https://up.example/base/here\r\nX-B: 2\r\nlocation: https://other/x\r\n"
      "Location: /base/too\r\nX-C: 3\r\nContent-Length: 0\r\n\r\n";
  Service service = rest_service();
  service.target_url = "https://up.example/base";
  const std::string head = down(service, answer);
  const std::string ours = "http://gateway/proxy/s";
  EXPECT_NE(head.find("X-A: 1\r\nLocation: " + ours +
                      "/here\r\nX-B: 2\r\nlocation: https://other/x\r\nLocation: " + ours + "/too\r\nX-C: 3\r\n"),
            std::string::npos)
      << head;
}

TEST(AnswerHead, AbsurdWaitsAreNotTold) {
  const std::string head = down(rest_service(),
                                "HTTP/1.1 429 x\r\nX-A: 1\r\nRetry-After: 100000000000000000000\r\nRetry-After-Ms: "
                                "-5\r\nX-B: 2\r\nRetry-After: 9999999\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(head.find("X-A: 1\r\nX-B: 2\r\nRetry-After: 2678400\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Retry-After-Ms"), std::string::npos) << head;
  EXPECT_NE(
      down(rest_service(), "HTTP/1.1 503 x\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n").find("retry-after: 7\r\n"),
      std::string::npos);
}

TEST(AnswerHead, StreamsAreNotBuffered) {
  const std::string head =
      down(rest_service(), "HTTP/1.1 200 OK\r\n\r\n", {.framing = Framing::kChunked, .streamed = true});
  EXPECT_NE(head.find("X-Accel-Buffering: no\r\n"), std::string::npos);
  EXPECT_NE(head.find("Cache-Control: no-cache\r\n"), std::string::npos);
}

TEST(AnswerHead, TheUpstreamsRequestIdWins) {
  const std::string head = down(rest_service(), "HTTP/1.1 200 OK\r\nX-Request-Id: theirs\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(head.find("X-Request-Id: theirs\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Rotator-Request-Id: id-1\r\n"), std::string::npos);
}

TEST(AnswerHead, ErrorsNameTheirSourceAndHideTheKey) {
  const std::string head =
      down(rest_service(), "HTTP/1.1 401 bad sk+secret/1\r\nX-Echo: Key sk+secret/1!\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(head.find("sk+secret/1"), std::string::npos) << head;
  EXPECT_NE(head.find("X-Echo: Key ***********!\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Rotator-Error-Source: upstream\r\n"), std::string::npos);
}

}  // namespace
}  // namespace akr
