// upload_credentials_test.cpp - pieces of resumable uploads that come without an access key (behaviour.md D29).
// google-genai for Python shows its key only where an upload begins: all of its uploads ended with 401.  The kind: URLs
// of ours that are called by clients who believe that the URL is enough.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/proxy_under_test.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::ProxySpec;
using test::ProxyUnderTest;
using test::TestGateway;
using test::UpstreamCall;

constexpr const char* kStartPath = "/upload/v1beta/files";
constexpr const char* kParameter = "rotator_upload_credential=";
const std::string kStart = "X-Goog-Upload-Protocol: resumable\r\nX-Goog-Upload-Command: start\r\n" +
                           std::string("Content-Type: application/json\r\n");
const std::string kPiece = "X-Goog-Upload-Command: upload, finalize\r\nX-Goog-Upload-Offset: 0\r\n";

// A provider of resumable uploads: each start is an upload of its own.
class Provider {
 public:
  explicit Provider(std::string field = "X-Goog-Upload-URL") : field_(std::move(field)) {}

  std::string url() const { return upstream_.url(); }
  FakeUpstream& upstream() { return upstream_; }
  static std::string key(const test::SeenRequest& seen) { return seen.field("x-goog-api-key"); }
  // Nothing of ours was sent here, in no spelling of a query or a field.
  void expect_no_credential() {
    for (const test::SeenRequest& seen : upstream_.seen()) {
      EXPECT_EQ(seen.head.find("rotator"), std::string::npos) << seen.head;
      EXPECT_EQ(seen.head.find("client-access-key"), std::string::npos) << seen.head;
    }
  }

 private:
  void serve(UpstreamCall& call) {
    call.read_body();
    const bool starts = call.request().target.find("upload_id=") == std::string::npos;
    if (!starts) return call.answer(200, R"({"file":{"name":"files/a"}})", "X-Goog-Upload-Status: final\r\n");
    const std::string id = "ID-" + std::to_string(++uploads_);
    call.answer(200, "{}",
                field_ + ": http://" + call.request().field("host") + call.request().target + "?upload_id=" + id +
                    "&upload_protocol=resumable\r\nX-Goog-Upload-Status: active\r\n");
  }

  const std::string field_;
  std::atomic<int> uploads_ = 0;
  FakeUpstream upstream_{[this](UpstreamCall& call) { serve(call); }};
};

// The target of a URL of ours.
std::string target_of(const std::string& url) {
  const auto path = url.find("/llm/");
  return path == std::string::npos ? "" : url.substr(path);
}

std::string request_to(const std::string& target, const std::string& fields, const std::string& body = "bytes",
                       const std::string& method = "POST") {
  return method + " " + target + " HTTP/1.1\r\nHost: gateway.test\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what << " in " << text;
  return text.replace(at, what.size(), by);
}

class UploadCredential : public testing::Test {
 protected:
  ProxySpec spec() {
    ProxySpec spec = {.target_url = provider_.url(), .keys = 5, .llm = true, .api_format = "gemini_native"};
    spec.upload_clock = &clock_;
    return spec;
  }
  // Begins an upload and says where its pieces go.
  std::string begin(std::string_view access_key = ProxyUnderTest::kAccessKey) {
    const HttpAnswer answer = proxy_.ask("POST", kStartPath, "{}", kStart, access_key);
    EXPECT_EQ(answer.status, 200);
    return target_of(answer.field("x-goog-upload-url"));
  }
  HttpAnswer send(const std::string& target, const std::string& fields = kPiece, const std::string& method = "POST") {
    return proxy_.client().ask(request_to(target, fields, "bytes", method));
  }
  void expect_refused(const HttpAnswer& answer, const std::string& why) {
    EXPECT_EQ(answer.status, 401) << answer.body;
    EXPECT_NE(answer.body.find(R"("status":"UNAUTHENTICATED")"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find(why), std::string::npos) << answer.body;
    EXPECT_EQ(answer.body.find(kParameter), std::string::npos) << answer.body;
  }

  ManualClock clock_;
  Provider provider_;
  ProxyUnderTest proxy_{spec()};
};

TEST_F(UploadCredential, PiecesWithoutAKeyGoToTheKeyThatBeganTheUpload) {
  for (int i = 0; i < 5; ++i) {
    const std::string target = begin();
    const std::string maker = Provider::key(provider_.upstream().last());
    for (const char* command : {"query", "upload", "upload, finalize", "cancel"}) {
      EXPECT_EQ(send(target, "X-Goog-Upload-Command: " + std::string(command) + "\r\n").status, 200) << command;
      const test::SeenRequest seen = provider_.upstream().last();
      EXPECT_EQ(Provider::key(seen), maker);
      EXPECT_EQ(seen.target,
                "/upload/v1beta/files?upload_id=ID-" + std::to_string(i + 1) + "&upload_protocol=resumable");
      EXPECT_EQ(seen.body, "bytes");
    }
  }
  provider_.expect_no_credential();
}

TEST_F(UploadCredential, TheLogSaysWhoseItIsAndNotWhatItIs) {
  const std::string target = begin();
  const std::string credential = target.substr(target.find(kParameter) + std::string(kParameter).size());
  ASSERT_GT(credential.size(), 60U);
  EXPECT_EQ(send(target).status, 200);
  EXPECT_EQ(send(target + "x").status, 401);
  const std::string log = proxy_.log();
  EXPECT_EQ(log.find(credential), std::string::npos);
  EXPECT_EQ(log.find("rotator_upload"), std::string::npos);
  std::size_t lines_of_client = 0;
  const std::string client = fingerprint(ProxyUnderTest::kAccessKey);
  for (auto at = log.find(client); at != std::string::npos; at = log.find(client, at + 1)) ++lines_of_client;
  EXPECT_EQ(lines_of_client, 2U) << log;  // the beginning and the piece
}

TEST_F(UploadCredential, IsRefusedWhereItWasNotGiven) {
  const std::string target = begin();
  const std::string other = begin();
  const int before = provider_.upstream().requests();
  const std::string why = "not good here";
  expect_refused(send(target + "x"), why);
  expect_refused(send(replaced(target, kParameter, std::string(kParameter) + "1")), why);
  expect_refused(send(replaced(target, "/files?", "/files/x?")), why);
  expect_refused(send(replaced(target, "/upload/v1beta/files", "/v1beta/models/m:generateContent")), why);
  expect_refused(send(replaced(target, "upload_id=ID-1", "upload_id=ID-2")), why);
  expect_refused(send(replaced(target, "upload_id=ID-1", "upload_id=ID-1&upload_id=ID-2")), why);
  expect_refused(send(target + "&" + other.substr(other.find(kParameter))), why);
  expect_refused(send("/llm/s/v1beta/files?" + target.substr(target.find(kParameter)), "", "GET"), why);
  expect_refused(send(target, kStart), "send an access key");
  expect_refused(send(target.substr(0, target.find(std::string("&") + kParameter))), "needs an access key");
  EXPECT_EQ(provider_.upstream().requests(), before);
}

TEST_F(UploadCredential, ExpiresAndTellsTheClientWhatToDo) {
  const std::string target = begin();
  clock_.advance(kUploadLifetime - std::chrono::seconds(1));
  EXPECT_EQ(send(target).status, 200);
  clock_.advance(std::chrono::seconds(1));
  expect_refused(send(target), "upload URL has expired: begin the upload again");
  // An access key opens it as before.
  EXPECT_EQ(send(target, kPiece + "x-goog-api-key: " + std::string(ProxyUnderTest::kAccessKey) + "\r\n").status, 200);
  provider_.expect_no_credential();
}

// As with every other request: one access key counts, whatever stale or foreign credential stands beside it.
TEST_F(UploadCredential, AnAccessKeyBesideItCountsAlone) {
  const std::string target = begin();
  const auto with_key = [&](std::string_view key, const std::string& to) {
    return send(to, kPiece + "x-goog-api-key: " + std::string(key) + "\r\n");
  };
  EXPECT_EQ(with_key(ProxyUnderTest::kAccessKey, target).status, 200);
  EXPECT_EQ(with_key(ProxyUnderTest::kAccessKey, target + "x").status, 200);
  EXPECT_EQ(with_key("a-stale-key", target).status, 200);
  EXPECT_EQ(send(target + "&key=a-stale-key").status, 200);
  EXPECT_EQ(provider_.upstream().last().target, "/upload/v1beta/files?upload_id=ID-1&upload_protocol=resumable");
  expect_refused(with_key("a-stale-key", target + "x"), "access key");
  // Somebody else's upload is not there for who shows another access key, with or without its URL.
  EXPECT_EQ(with_key(ProxyUnderTest::kOtherAccessKey, target).status, 404);
  // And each credential stands for its own access key.
  const std::string others = begin(ProxyUnderTest::kOtherAccessKey);
  EXPECT_EQ(send(others).status, 200);
  expect_refused(send(replaced(target, target.substr(target.find(kParameter)), others.substr(others.find(kParameter)))),
                 "not good here");
  provider_.expect_no_credential();
}

TEST_F(UploadCredential, IsNotGoodAtAnotherService) {
  ProxySpec two = spec();
  two.fallbacks = {spec()};
  ProxyUnderTest proxy(two);
  const std::string target = target_of(proxy.ask("POST", kStartPath, "{}", kStart).field("x-goog-upload-url"));
  EXPECT_EQ(proxy.client().ask(request_to(target, kPiece)).status, 200);
  expect_refused(proxy.client().ask(request_to(replaced(target, "/llm/s/", "/llm/f1/"), kPiece)), "not good here");
}

TEST_F(UploadCredential, GoesOnThroughTheAskedServiceAlsoIfAFallbackBeganIt) {
  FakeUpstream limited([](UpstreamCall& call) { call.answer(429, "{}"); });
  ProxySpec asked = spec();
  asked.target_url = limited.url();
  asked.keys = 1;
  asked.fallbacks = {spec()};
  ProxyUnderTest proxy(asked);
  const std::string target = target_of(proxy.ask("POST", kStartPath, "{}", kStart).field("x-goog-upload-url"));
  EXPECT_TRUE(target.starts_with("/llm/s/upload/")) << target;
  const std::string maker = Provider::key(provider_.upstream().last());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy.client().ask(request_to(target, kPiece)).status, 200);
    EXPECT_EQ(Provider::key(provider_.upstream().last()), maker);
  }
  provider_.expect_no_credential();
}

// The older protocol of Google's clients tells the same in Location.
TEST(UploadCredentials, StandInLocationToo) {
  Provider provider("Location");
  ProxyUnderTest proxy({.target_url = provider.url(), .keys = 2, .llm = true, .api_format = "gemini_native"});
  const HttpAnswer begun = proxy.ask("POST", "/upload/v1beta/files", "{}", "Content-Type: application/json\r\n");
  const HttpAnswer ended = proxy.client().ask(request_to(target_of(begun.field("location")), "", "bytes", "PUT"));
  EXPECT_EQ(ended.status, 200);
  EXPECT_EQ(ended.body, R"({"file":{"name":"files/a"}})");
}

// Only for uploads: other URLs of ours are worth nothing without a key.
TEST(UploadCredentials, StandInNoOtherUrl) {
  FakeUpstream upstream([](UpstreamCall& call) {
    const std::string base = "http://" + call.request().field("host");
    const bool redirects = call.request().target.find("/r") != std::string::npos;
    call.answer(redirects ? 307 : 200, R"({"downloadUri":")" + base + R"(/d?upload_id=1"})",
                "Content-Type: application/json\r\nLocation: " + base + "/l?id=1\r\nX-Goog-Upload-Control-URL: " +
                    base + "/c?upload_id=" + (redirects ? "1" : "") + "\r\n");
  });
  ProxyUnderTest gemini({.target_url = upstream.url(), .llm = true, .api_format = "gemini_native"});
  ProxyUnderTest openai({.target_url = upstream.url(), .llm = true});
  ProxyUnderTest rest({.target_url = upstream.url()});
  for (ProxyUnderTest* const proxy : {&gemini, &openai, &rest}) {
    for (const char* path : {"/v1beta/files/a", "/r"}) {
      const HttpAnswer answer = proxy->get(path);
      EXPECT_EQ((answer.head + answer.body).find("rotator_upload"), std::string::npos) << answer.head << answer.body;
    }
  }
}

// A credential that strays to where no uploads are does not travel on either.
TEST(UploadCredentials, TravelOnNowhere) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "{}"); });
  ProxyUnderTest rest({.target_url = upstream.url()});
  for (const char* query :
       {"a=%20&rotator_upload_credential=1.2.3.4&b=+&b", "a=%20&rotator%5fupload%5fcredential=1&b=+&b",
        "rotator_upload_credential&a=%20&b=+&rotator_upload_credential=&b"}) {
    EXPECT_EQ(rest.get(std::string("/x?") + query).status, 200);
    EXPECT_EQ(upstream.last().target, "/x?a=%20&b=+&b");
  }
}

Environment installation(const std::string& access_keys) {
  return {{"ENCRYPTION_KEY", std::string(64, 'a')}, {"GLOBAL_PROXY_KEYS", access_keys}};
}

// Over a restart or at another node of the same ENCRYPTION_KEY, behind a TLS terminator, and no longer than its access
// key is one.
TEST(UploadCredentials, LiveAsLongAsTheirAccessKeyAtEveryNodeOfTheInstallation) {
  Provider provider;
  const std::string ours(TestGateway::kAccessKey);
  const auto serve = [&](TestGateway& gateway) {
    gateway.add_service({.target_url = provider.url(), .llm = true, .api_format = "gemini_native"});
  };
  std::string target;
  {
    Environment environment = installation(ours);
    environment.emplace("PROXY_PUBLIC_BASE_URL", "https://api.example/gw");
    TestGateway gateway(environment);
    serve(gateway);
    const std::string url = gateway.post("/llm/s/upload/v1beta/files", "{}", kStart).field("x-goog-upload-url");
    EXPECT_TRUE(url.starts_with("https://api.example/gw/llm/s/upload/v1beta/files?upload_id=ID-1&")) << url;
    target = target_of(url);  // the terminator takes its own prefix off
    EXPECT_EQ(gateway.client().ask(request_to(target, kPiece)).status, 200);
  }
  const auto status_at = [&](const Environment& environment) {
    TestGateway gateway(environment);
    serve(gateway);
    return gateway.client().ask(request_to(target, kPiece)).status;
  };
  EXPECT_EQ(status_at(installation("another-access-key-0123456789," + ours)), 200);
  EXPECT_EQ(status_at(installation("another-access-key-0123456789")), 401);
  Environment other = installation(ours);
  other.insert_or_assign("ENCRYPTION_KEY", std::string(64, 'b'));
  EXPECT_EQ(status_at(other), 401);
  provider.expect_no_credential();
}

}  // namespace
}  // namespace akr
