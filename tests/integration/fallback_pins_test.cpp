// fallback_pins_test.cpp - things that belong to a key of a fallback (D23): reached through it again, and nowhere else.
#include <atomic>
#include <chrono>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fallback_pair.hpp"
#include "tests/support/refusing_port.hpp"
#include "tests/support/upload_urls.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using namespace test;

TEST(Fallback, WhatItMadeIsReachedThroughItAgain) {
  FakeUpstream asked(always(200, R"({"id":"file-asked"})", std::string(kJson)));
  FakeUpstream other(always(200, R"({"id":"file-other"})", std::string(kJson)));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  cool(proxy, 1, 1min);
  EXPECT_EQ(proxy.post("/v1/files", "{}", kJson).status, 200);
  proxy.pool().reset_all(std::chrono::steady_clock::now());
  EXPECT_EQ(proxy.get("/v1/files/file-other").body, R"({"id":"file-other"})");
  EXPECT_EQ(asked.requests(), 0);
  EXPECT_EQ(other.last().field("authorization"), ProxyUnderTest::bearer(101));
  EXPECT_EQ(proxy.get("/v1/models").status, 200);  // everything else goes where it was asked
  EXPECT_EQ(asked.requests(), 1);
}

TEST(Fallback, WhatItMadeIsReachedNowhereElseWhileItCannotServe) {
  FakeUpstream asked(always(200, R"({"id":"file-asked"})", std::string(kJson)));
  FakeUpstream other(always(200, R"({"id":"file-other"})", std::string(kJson)));
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  cool(proxy, 1, 1min);
  EXPECT_EQ(proxy.post("/v1/files", "{}", kJson).status, 200);
  proxy.pool().reset_all(std::chrono::steady_clock::now());
  cool(proxy, 101, 1min);
  const HttpAnswer answer = proxy.get("/v1/files/file-other");
  EXPECT_EQ(answer.status, 409);
  EXPECT_NE(answer.body.find("pinned_key_unavailable"), std::string::npos) << answer.body;
  EXPECT_EQ(asked.requests(), 0);
}

boost::json::object last_line_of(ProxyUnderTest& proxy) {
  const std::string log = proxy.log();
  boost::json::object last;
  for (const std::string_view line : split(log, '\n')) {
    if (line.empty()) continue;
    auto members = boost::json::parse(line).as_object();
    if (!members.contains("trace")) last = std::move(members);
  }
  return last;
}

// Makes "file-other" with the fallback's key 101, and lets the asked service serve again.
void make_with_fallback(ProxyUnderTest& proxy) {
  cool(proxy, 1, 1min);
  EXPECT_EQ(proxy.post("/v1/files", "{}", kJson).status, 200);
  proxy.pool().reset_all(std::chrono::steady_clock::now());
}

// The bytes of an upload that a fallback began went to the fallback's own slug, where nobody knows whose it is.
TEST(Fallback, AnUploadThatItBeganGoesOnThroughTheAskedService) {
  FakeUpstream asked(always(200, "asked"));
  FakeUpstream other([](UpstreamCall& call) {
    if (call.request().target.find("upload_id") != std::string::npos) return call.answer(200, "stored");
    const std::string own = "http://" + call.request().field("host") + "/b/upload/v1beta/files?upload_id=7";
    call.answer(200, "{}", std::string(kJson) + "X-Goog-Upload-URL: " + own + "\r\n");
  });
  ProxySpec spec = pair_of(asked.url(), other.url("/b"));
  spec.api_format = spec.fallbacks[0].api_format = "gemini_native";
  spec.fallbacks[0].keys = 3;
  ProxyUnderTest proxy(spec);
  cool(proxy, 1, 1min);
  const HttpAnswer began = proxy.post("/upload/v1beta/files", "{}", kJson);
  EXPECT_EQ(test::without_credential(began.field("x-goog-upload-url")),
            "http://gateway.test/llm/s/upload/v1beta/files?upload_id=7");
  const std::string maker = other.last().field("x-goog-api-key") + other.last().field("authorization");
  proxy.pool().reset_all(std::chrono::steady_clock::now());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy.post("/upload/v1beta/files?upload_id=7", "bytes").body, "stored");
    EXPECT_EQ(other.last().field("x-goog-api-key") + other.last().field("authorization"), maker);
  }
  EXPECT_EQ(asked.requests(), 0);
}

// A fallback answered compressed, and so nothing that it made was learnt: its own rules decided instead of the asked
// service's, by which ids are read.
TEST(Fallback, IsAskedForReadableAnswersByTheAskedServicesRules) {
  FakeUpstream asked(always(429)), other(always(200, R"({"id":"j1"})", std::string(kJson)));
  const AffinityRule rule = {.created = {"/id"}};
  for (const bool asked_reads : {true, false}) {
    ProxySpec spec = pair_of(asked.url(), other.url());
    spec.llm = spec.fallbacks[0].llm = false;
    (asked_reads ? spec : spec.fallbacks[0]).affinity_rules = {rule};
    ProxyUnderTest proxy(spec);
    EXPECT_EQ(proxy.post("/jobs", "{}", std::string(kJson) + "Accept-Encoding: gzip\r\n").status, 200);
    EXPECT_EQ(other.last().field("accept-encoding"), asked_reads ? "identity" : "gzip");
    EXPECT_EQ(proxy.pins().size(), asked_reads ? 1U : 0U);
  }
}

// A request for what a fallback made went there although that service does not take its method.
TEST(Fallback, AMethodThatItDoesNotTakeIsNotSentForItsOwnThingsEither) {
  FakeUpstream asked(always(200)), other(always(200, R"({"id":"j1"})", std::string(kJson)));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.llm = spec.fallbacks[0].llm = false;
  spec.affinity_rules = {{.method = "POST", .path = "/jobs", .created = {"/id"}}};
  spec.fallbacks[0].adjust = [](Service& service) { service.methods = {"POST"}; };
  ProxyUnderTest proxy(spec);
  cool(proxy, 1, 1min);
  EXPECT_EQ(proxy.post("/jobs", "{}", kJson).status, 200);
  proxy.pool().reset_all(std::chrono::steady_clock::now());
  const HttpAnswer answer = proxy.get("/jobs/j1");
  EXPECT_EQ(answer.status, 409);
  EXPECT_NE(answer.body.find("does not take this method"), std::string::npos) << answer.body;
  EXPECT_EQ(proxy.post("/jobs/j1", "{}", kJson).status, 200);
  EXPECT_EQ(other.requests(), 2);
  EXPECT_EQ(asked.requests(), 0);
}

// wait_for_key was passed over for things that only one key of a fallback can reach.
TEST(Fallback, ItsKeyIsWaitedForWhenOnlyThatOneCanServe) {
  FakeUpstream asked(always(200)), other(always(200, R"({"id":"file-other"})", std::string(kJson)));
  ProxySpec spec = pair_of(asked.url(), other.url());
  spec.wait_for_key = spec.fallbacks[0].wait_for_key = 5s;
  ProxyUnderTest proxy(spec);
  make_with_fallback(proxy);
  cool(proxy, 101, 300ms);
  EXPECT_EQ(proxy.get("/v1/files/file-other").status, 200);
  EXPECT_EQ(other.last().field("authorization"), ProxyUnderTest::bearer(101));
  EXPECT_EQ(asked.requests(), 0);
}

// The answer to a request for what a fallback made was thrown away as if more services could be asked: a 403 became a
// 409, and an upstream's trouble was logged as the asked service's.
TEST(Fallback, WhatItSaysAboutItsOwnThingsIsTheAnswer) {
  FakeUpstream asked(always(200, R"({"id":"file-asked"})", std::string(kJson)));
  FakeUpstream other([](UpstreamCall& call) {
    if (call.request().method == "POST") return call.answer(200, R"({"id":"file-other"})", kJson);
    if (call.request().target.ends_with("content")) return call.close();
    call.answer(403, "not yours");
  });
  ProxyUnderTest proxy(pair_of(asked.url(), other.url()));
  make_with_fallback(proxy);
  const HttpAnswer forbidden = proxy.get("/v1/files/file-other");
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_EQ(forbidden.body, "not yours");
  EXPECT_EQ(proxy.get("/v1/files/file-other/content").status, 502);
  const auto line = last_line_of(proxy);
  EXPECT_EQ(line.at("status").to_number<int>(), 502);
  EXPECT_EQ(line.at("served_by").as_string(), "f1");
  EXPECT_EQ(asked.requests(), 0);
}

}  // namespace
}  // namespace akr
