// uploads_test.cpp - files on their way to LLM services: they pass through, whatever their length; JSON is read.
#include <atomic>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/pins_fixture.hpp"
#include "tests/support/proxy_under_test.hpp"
#include "tests/support/refusing_port.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::eventually;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::ProxySpec;
using test::ProxyUnderTest;
using test::TestGateway;
using test::UpstreamCall;

constexpr std::string_view kForm = "Content-Type: multipart/form-data; boundary=x\r\n";
constexpr std::string_view kJson = "Content-Type: application/json\r\n";
constexpr const char* kFiles = "/llm/s/v1/files";

// 33 MiB were refused with 413 by default.  Stands for limits of what is kept, set to what is not.
TEST(Uploads, FilesAndJsonOverTheUsualLimitPassByDefault) {
  std::atomic<std::uint64_t> got = 0;
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.read_body();
    got = call.request().body.size();
    call.answer(200, "{}");
  });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url(), .llm = true});
  gateway.add_service({.slug = "rest", .target_url = upstream.url()});
  const std::string body(33U << 20, 'f');
  EXPECT_EQ(gateway.post(kFiles, body, kForm).status, 200);
  EXPECT_EQ(got, body.size());
  got = 0;
  EXPECT_EQ(gateway.post("/llm/s/v1/chat/completions", body, kJson).status, 200);
  EXPECT_EQ(got, body.size());
  EXPECT_EQ(gateway.post("/proxy/rest/a", body, kForm).status, 413);
}

// A limit that the operator has set is obeyed, whatever passes through.
TEST(Uploads, WhatTheOperatorLimitsIsLimited) {
  FakeUpstream upstream(FakeUpstream::Script([](UpstreamCall& call) {
    if (call.read_body()) call.answer(200, "{}");
  }));
  TestGateway gateway({{"MAX_BODY_SIZE", "1000"}});
  gateway.add_service({.target_url = upstream.url(), .llm = true});
  const std::string body(1001, 'f');
  EXPECT_EQ(gateway.post(kFiles, body, kForm).status, 413);
  EXPECT_EQ(gateway.post("/llm/s/v1/chat/completions", body, kJson).status, 413);
  EXPECT_EQ(upstream.requests(), 0);
}

TEST(Uploads, AnUploadOfUnknownLengthEndsAtTheLimit) {
  FakeUpstream upstream([](UpstreamCall& call) { EXPECT_FALSE(call.read_body()); });
  TestGateway gateway({{"MAX_UPLOAD_SIZE", "100000"}});
  gateway.add_service({.target_url = upstream.url(), .llm = true});
  HttpClient client = gateway.client();
  const std::string fields = "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) +
                             "\r\nTransfer-Encoding: chunked\r\n" + std::string(kForm);
  const std::string part = "ea60\r\n" + std::string(60'000, 'p') + "\r\n";
  client.send(TestGateway::request("POST", kFiles, fields) + part);
  ASSERT_TRUE(eventually([&] { return upstream.requests() == 1; }));
  client.send(part);
  const HttpAnswer answer = client.receive();
  EXPECT_EQ(answer.status, 413);
  EXPECT_NE(answer.body.find("100000"), std::string::npos) << answer.body;
}

ProxySpec spec_for(const FakeUpstream& upstream) {
  ProxySpec spec = {.target_url = upstream.url(), .keys = 3, .llm = true};
  return spec;
}

TEST(Uploads, PassThroughAsTheyComeAndInOneAttempt) {
  std::atomic<int> parts = 0;
  FakeUpstream upstream([&](UpstreamCall& call) {
    while (parts < 3) {
      if (call.receive(1).empty()) return call.close();
      ++parts;
    }
    call.answer_early(429, "no second try");
    call.close();
  });
  ProxyUnderTest proxy(spec_for(upstream));
  HttpClient client = proxy.client();
  std::string request = proxy.request("POST", "/v1/files", "xxx", kForm);
  client.send(request.substr(0, request.size() - 3));
  for (int i = 1; i <= 3; ++i) {
    client.send("x");
    EXPECT_TRUE(eventually([&] { return parts == i; }));
  }
  EXPECT_EQ(client.receive().status, 429);
  EXPECT_EQ(upstream.requests(), 1);
}

TEST(Uploads, MoveOnWhileNothingOfThemWasTaken) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    call.answer(200, "{}");
  });
  ProxySpec spec = spec_for(upstream);
  const test::RefusingPort nobody;
  spec.upstreams = {{.url = nobody.url()}, {.url = upstream.url()}};
  ProxyUnderTest proxy(spec);
  const std::string body(3'000'000, 'u');
  EXPECT_EQ(proxy.post("/v1/files", body, kForm).status, 200);
  EXPECT_EQ(proxy.post("/v1/files", body, kForm).status, 200);
  EXPECT_TRUE(upstream.last().body == body);
}

// Any key can do a transcription: its file is kept, and another key does it.
TEST(Uploads, AGenerationCallWithAFileIsTriedAgain) {
  std::atomic<int> calls = 0;
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.read_body();
    call.answer(++calls == 1 ? 429 : 200, "{}");
  });
  ProxyUnderTest proxy(spec_for(upstream));
  const std::string body(3'000'000, 'u');
  EXPECT_EQ(proxy.post("/v1/audio/transcriptions", body, kForm).status, 200);
  EXPECT_TRUE(upstream.last().body == body);
}

class UploadPins : public test::Pins {
 protected:
  UploadPins() : test::Pins() {}
};

// Nobody read what a service with stream_uploads was sent, so a batch went to a key that did not have its file.
TEST_F(UploadPins, JsonGoesToTheKeyThatItNamesAlsoWithStreamUploads) {
  ProxySpec spec = test::spec_for(upstream_, test::kOpenAi);
  spec.adjust = [](Service& service) { service.stream_uploads = true; };
  ProxyUnderTest proxy(spec);
  script_ = answering(R"({"id":"file-1"})");
  EXPECT_EQ(proxy.post("/v1/files", std::string(100'000, 'f'), kForm).status, 200);
  const int maker = key_of(upstream_.last());
  script_ = answering("{}");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(proxy.post("/v1/batches", R"({"input_file_id":"file-1"})", kJson).status, 200);
    EXPECT_EQ(key_of(upstream_.last()), maker);
  }
}

TEST_F(UploadPins, APartGoesToTheKeyOfItsUpload) {
  script_ = answering(R"({"id":"upload_1"})");
  EXPECT_EQ(proxy_.post("/v1/uploads", "{}", kJson).status, 200);
  const int maker = key_of(upstream_.last());
  script_ = answering(R"({"id":"part_1"})");
  const std::string part(300'000, 'p');
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(proxy_.post("/v1/uploads/upload_1/parts", part, kForm).status, 200);
    EXPECT_EQ(key_of(upstream_.last()), maker);
    EXPECT_TRUE(upstream_.last().body == part);
  }
}

}  // namespace
}  // namespace akr
