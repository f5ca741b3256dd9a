// urls_test.cpp - URLs in answers lead to us again: fields, batches' results, behind a TLS terminator.
#include <string>

#include <gtest/gtest.h>

#include "tests/support/compress.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/pins_fixture.hpp"
#include "tests/support/proxy_under_test.hpp"
#include "tests/support/run_gateway.hpp"
#include "tests/support/upload_urls.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::ProxyUnderTest;
using test::TestGateway;
using test::UpstreamCall;

constexpr const char* kJson = "Content-Type: application/json\r\n";
constexpr const char* kBatch = "/v1/messages/batches/msgbatch_1";

std::string results_at(const std::string& base) {
  return R"({"id":"msgbatch_1", "results_url":")" + base + R"(/v1/messages/batches/msgbatch_1/results"})";
}

class Urls : public test::Pins {
 protected:
  Urls() : test::Pins(test::kAnthropic) {}
  const std::string ours_ = "http://gateway.test/llm/s";
};

// Anthropic's results_url pointed past us, and its SDK sent the access key there.  Stands for URLs inside of answers
// that a client follows.
TEST_F(Urls, ABatchsResultsAreFetchedThroughUs) {
  script_ = answering(results_at(upstream_.url()));
  const HttpAnswer one = proxy_.get(kBatch);
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body, results_at(ours_));
  EXPECT_EQ(one.field("content-length"), std::to_string(one.body.size()));
  EXPECT_EQ(one.field("transfer-encoding"), "");

  script_ = answering(R"({"data":[)" + results_at(upstream_.url()) + "," + results_at("https://other.test") + "]}");
  EXPECT_EQ(proxy_.get("/v1/messages/batches").body,
            R"({"data":[)" + results_at(ours_) + "," + results_at("https://other.test") + "]}");
}

TEST_F(Urls, AlsoWhenTheAnswerComesInPieces) {
  script_ = [&](UpstreamCall& call) {
    call.read_body();
    const std::string body = results_at(upstream_.url());
    call.send("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (std::size_t at = 0; at < body.size(); at += 7) {
      call.wait(std::chrono::milliseconds(1));
      call.send_chunk(body.substr(at, 7));
    }
    call.send_chunk("");
  };
  for (int i = 0; i < 2; ++i) {
    const HttpAnswer answer = proxy_.get(kBatch);
    EXPECT_EQ(answer.body, results_at(ours_));
    EXPECT_EQ(answer.field("content-length"), std::to_string(answer.body.size()));
  }
  EXPECT_EQ(upstream_.connections(), 1);
}

TEST_F(Urls, ItsPinIsLearntFromTheChangedAnswer) {
  script_ = answering(results_at(upstream_.url()));
  EXPECT_EQ(proxy_.post("/v1/messages/batches", "{}", kJson).body, results_at(ours_));
  const int maker = key_of(upstream_.last());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(proxy_.get(std::string(kBatch) + "/results").status, 200);
    EXPECT_EQ(key_of(upstream_.last()), maker);
  }
}

TEST_F(Urls, WhatIsNotOursToReadStays) {
  const std::string body = results_at(upstream_.url());
  script_ = answering(body, "Content-Type: application/x-jsonl\r\n");
  EXPECT_EQ(proxy_.get(std::string(kBatch) + "/results").body, body);
  script_ = answering(body);
  EXPECT_EQ(proxy_.get("/v1/models").body, body);
  const std::string packed = test::gzip(body);
  script_ = answering(packed, std::string(kJson) + "Content-Encoding: gzip\r\n");
  EXPECT_EQ(proxy_.get(kBatch).body, packed);
  const std::string unchanged = results_at("https://other.test");
  script_ = answering(unchanged, std::string(kJson) + "ETag: \"1\"\r\n");
  EXPECT_EQ(proxy_.get(kBatch).body, unchanged);
  EXPECT_EQ(proxy_.get(kBatch).field("etag"), "\"1\"");
  const std::string long_one = body + std::string(3U << 20, ' ');
  script_ = answering(long_one);
  EXPECT_TRUE(proxy_.get(kBatch).body == long_one);
}

TEST_F(Urls, ACutAnswerIsCut) {
  script_ = [&](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" +
              results_at(upstream_.url()));
    call.close();
  };
  const HttpAnswer answer = proxy_.get(kBatch);
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body, results_at(upstream_.url()));
}

// Redirects below the base led past us, and so into 404 or to the provider without a key.
TEST(UrlFields, LocationsOfEveryServiceLeadHere) {
  FakeUpstream upstream([](UpstreamCall& call) {
    const std::string base = "http://" + call.request().field("host") + "/base";
    call.answer(302, "",
                "Location: " + base + "/next?a=1\r\nContent-Location: /base/here\r\nX-Url: " + base + "/other\r\n");
  });
  ProxyUnderTest proxy({.target_url = upstream.url("/base")});
  const HttpAnswer answer = proxy.get("/x");
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.field("location"), "http://gateway.test/proxy/s/next?a=1");
  EXPECT_EQ(answer.field("content-location"), "http://gateway.test/proxy/s/here");
  EXPECT_EQ(answer.field("x-url"), upstream.url("/base/other"));
}

// The URL that was not chosen is the service's, too.
TEST(UrlFields, AnyOfTheServicesUrlsIsOurs) {
  FakeUpstream other([](UpstreamCall& call) { call.answer(200, ""); });
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(307, "", "Location: " + other.url("/b/y") + "\r\n"); });
  ProxyUnderTest proxy({.upstreams = {{upstream.url("/a"), 1, 0}, {other.url("/b"), 1, 1}}});
  EXPECT_EQ(proxy.get("/x").field("location"), "http://gateway.test/proxy/s/y");
}

// An upload's URL was written with http behind a TLS terminator.
TEST(UrlFields, TheSchemeIsThatOfTheSettingOrOfTheTrustedProxy) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.answer(200, "{}", "X-Goog-Upload-URL: http://" + call.request().field("host") + "/upload?upload_id=7\r\n");
  });
  const auto upload_url = [&](TestGateway& gateway, const std::string& fields) {
    gateway.add_service({.target_url = upstream.url(), .llm = true, .api_format = "gemini_native"});
    const HttpAnswer answer = gateway.post("/llm/s/upload/v1beta/files", "{}", fields);
    return test::without_credential(answer.field("x-goog-upload-url"));
  };
  {
    TestGateway gateway({{"PROXY_PUBLIC_BASE_URL", "https://api.example/gw/"}});
    EXPECT_EQ(upload_url(gateway, ""), "https://api.example/gw/llm/s/upload?upload_id=7");
  }
  TestGateway gateway({{"TRUSTED_PROXIES", "127.0.0.0/8,::1"}});
  const std::string url = upload_url(gateway, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n");
  EXPECT_TRUE(url.starts_with("https://") && url.ends_with("/llm/s/upload?upload_id=7")) << url;
}

}  // namespace
}  // namespace akr
