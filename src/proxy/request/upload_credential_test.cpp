// google-genai for Python sends the pieces of an upload to the URL that it was told and shows no access key there:
// every upload ended with 401.  The kind: URLs of ours that are called by clients who believe that the URL is enough.
#include "proxy/request/upload_credential.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

const std::string kOne = "first-access-key";
const std::string kTwo = "second-access-key";
const std::string kInstallation = "0123456789abcdef0123456789abcdef";
const UploadUrl kUrl = {"s", "/upload/v1beta/files", "upload_id=abc&upload_protocol=resumable"};

AccessKeys keys_of(const std::vector<std::string>& texts) {
  std::vector<Secret> keys;
  for (const std::string& text : texts) keys.emplace_back(text);
  return AccessKeys(std::move(keys));
}

class UploadCredentialsTest : public testing::Test {
 protected:
  AccessGrant grant(const std::string& key) const { return {.fingerprint = keys_.match(key)}; }
  // The value of the parameter.
  std::string issued(const std::string& key = kOne) const {
    const std::string parameter = ours_.issue(kUrl, grant(key));
    EXPECT_TRUE(parameter.starts_with("rotator_upload_credential=1."));
    return parameter.substr(parameter.find('=') + 1);
  }
  // Whom it lets in, or the error's message.
  static std::string asked(const UploadCredentials& by, const UploadUrl& url, const std::string& credential) {
    const auto holder = by.check(url, credential);
    if (holder) return std::string(holder->fingerprint);
    EXPECT_EQ(holder.error().code, ErrorCode::kAccessKeyInvalid);
    return holder.error().message;
  }

  ManualClock clock_;
  const AccessKeys keys_ = keys_of({kOne, kTwo});
  const UploadCredentials ours_{Secret(kInstallation), keys_, clock_};
};

constexpr std::string_view kNotGood = "the credential in the upload URL is not good here";

TEST_F(UploadCredentialsTest, LetsInWhoeverBeganTheUpload) {
  EXPECT_EQ(asked(ours_, kUrl, issued(kOne)), fingerprint(kOne));
  EXPECT_EQ(asked(ours_, kUrl, issued(kTwo)), fingerprint(kTwo));
  // The very view, by which keys of the same fingerprint are told apart.
  EXPECT_EQ(ours_.check(kUrl, issued(kTwo))->fingerprint.data(), keys_.match(kTwo).data());
  EXPECT_EQ(ours_.issue(kUrl, {}), "");
  EXPECT_EQ(ours_.issue(kUrl, {.fingerprint = "00000000"}), "");
}

TEST_F(UploadCredentialsTest, ItsKeyOnTheWayChangesNothingOfTheUrl) {
  UploadUrl url = kUrl;
  const std::string query = "key=stale&upload_id=abc&upload_protocol=resumable&rotator_upload_credential=" + issued();
  url.query = query;
  EXPECT_EQ(asked(ours_, url, issued()), fingerprint(kOne));
}

TEST_F(UploadCredentialsTest, IsGoodForNoOtherUrl) {
  const std::string credential = issued();
  for (const UploadUrl& url : std::vector<UploadUrl>{{"t", kUrl.path, kUrl.query},
                                                     {"s", "/upload/v1beta/file", kUrl.query},
                                                     {"s", "/v1beta/files", kUrl.query},
                                                     {"s", "", kUrl.query},
                                                     {"s/upload", "/v1beta/files", kUrl.query},
                                                     {"s", kUrl.path, "upload_id=abd&upload_protocol=resumable"},
                                                     {"s", kUrl.path, "upload_id=abc&upload_protocol=raw"},
                                                     {"s", kUrl.path, "upload_id=abc"},
                                                     {"s", kUrl.path, "upload_id=abc&upload_protocol=resumable&a=1"},
                                                     {"s", kUrl.path, ""}}) {
    EXPECT_TRUE(asked(ours_, url, credential).starts_with(kNotGood)) << url.slug << url.path << url.query;
  }
}

TEST_F(UploadCredentialsTest, NoByteOfItMayBeAnother) {
  const std::string credential = issued();
  for (std::size_t i = 0; i < credential.size(); ++i) {
    for (const char other : {'0', '1', 'A', 'b', '.', '-', '+', ' ', '\0'}) {
      if (credential[i] == other) continue;
      std::string changed = credential;
      changed[i] = other;
      EXPECT_TRUE(asked(ours_, kUrl, changed).starts_with(kNotGood)) << i << other;
    }
    EXPECT_TRUE(asked(ours_, kUrl, credential.substr(0, i)).starts_with(kNotGood)) << i;
  }
  for (const std::string& other :
       {credential + "=", credential + ".", " " + credential, "1.0" + credential.substr(2), std::string("1..."),
        std::string("1.99999999999999999999.x.y"), std::string(1 << 20, '1')}) {
    EXPECT_TRUE(asked(ours_, kUrl, other).starts_with(kNotGood)) << other.substr(0, 90);
  }
  // The MAC of one access key under the name of the other.
  const std::string other = issued(kTwo);
  const std::size_t mac = credential.rfind('.');
  EXPECT_TRUE(asked(ours_, kUrl, credential.substr(0, mac) + other.substr(mac)).starts_with(kNotGood));
}

TEST_F(UploadCredentialsTest, ExpiresAndSaysSo) {
  const std::string credential = issued();
  clock_.advance(kUploadLifetime - std::chrono::seconds(1));
  EXPECT_EQ(asked(ours_, kUrl, credential), fingerprint(kOne));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(asked(ours_, kUrl, credential).starts_with("the upload URL has expired: begin the upload again"));
  // A forged one learns nothing about time.
  EXPECT_TRUE(asked(ours_, kUrl, credential.substr(0, credential.size() - 1) + "_").starts_with(kNotGood));
}

TEST_F(UploadCredentialsTest, IsNotProlongedByItself) {
  const auto first = ours_.check(kUrl, issued());
  ASSERT_TRUE(first);
  clock_.advance(std::chrono::hours(1));
  const AccessGrant by_credential = {.fingerprint = first->fingerprint, .upload_expires = first->expires};
  const std::string again = ours_.issue(kUrl, by_credential);
  EXPECT_EQ(ours_.check(kUrl, again.substr(again.find('=') + 1))->expires, first->expires);
  EXPECT_GT(ours_.check(kUrl, issued())->expires, first->expires);
}

TEST_F(UploadCredentialsTest, AnotherNodeOfTheSameSecretTakesItAndNobodyElse) {
  const AccessKeys others = keys_of({"a-third-access-key", kTwo, kOne});
  EXPECT_EQ(asked(UploadCredentials(Secret(kInstallation), others, clock_), kUrl, issued()), fingerprint(kOne));
  const Secret other("another installation's secret!!!");
  EXPECT_TRUE(asked(UploadCredentials(other, keys_, clock_), kUrl, issued()).starts_with(kNotGood));
}

TEST_F(UploadCredentialsTest, IsWorthlessOnceItsAccessKeyIsGone) {
  const AccessKeys left = keys_of({kTwo});
  EXPECT_TRUE(asked(UploadCredentials(Secret(kInstallation), left, clock_), kUrl, issued()).starts_with(kNotGood));
}

TEST(HoldsUploadCredential, HoweverTheNameIsSpelled) {
  EXPECT_TRUE(holds_upload_credential("rotator_upload_credential=1"));
  EXPECT_TRUE(holds_upload_credential("a=1&rotator_upload_credential"));
  EXPECT_TRUE(holds_upload_credential("a=1&rotator%5Fupload_credential=1"));
  EXPECT_FALSE(holds_upload_credential(""));
  EXPECT_FALSE(holds_upload_credential("alt=sse"));
  EXPECT_FALSE(holds_upload_credential("a=rotator_upload_credential"));
  EXPECT_FALSE(holds_upload_credential("a=%20&xrotator_upload_credential=1"));
}

constexpr ErrorCode kNone = ErrorCode::kInternal;
constexpr ErrorCode kInvalid = ErrorCode::kAccessKeyInvalid;

class AdmitUpload : public UploadCredentialsTest {
 protected:
  // kNone = let in.
  ErrorCode ask(const std::string& query, const std::string& fields, const Result<void>& by_key,
                const std::string& format = "gemini_native") {
    Service service;
    service.slug = "s";
    service.type = ServiceType::kLlm;
    service.api_format = format;
    service.target_url = "https://up.example";
    ErrorCode code = kNone;
    test::RequestFixture(service).run(
        "POST /llm/s/upload/v1beta/files?" + query + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n",
        [&](RequestContext& ctx) {
          ctx.uploads = &ours_;
          const auto admitted = admit_upload(ctx, by_key);
          EXPECT_TRUE(ctx.grant.upload_in_query);
          grant_ = ctx.grant;
          if (!admitted) code = admitted.error().code;
        });
    return code;
  }
  std::string good() const { return std::string(kUrl.query) + "&rotator_upload_credential=" + issued(); }
  AccessGrant grant_;
};

const Error kMissing = {ErrorCode::kAccessKeyMissing, "missing"};
const Error kUnknown = {ErrorCode::kAccessKeyInvalid, "unknown"};
const Error kTwoKeys = {ErrorCode::kAccessKeyConflict, "two"};

TEST_F(AdmitUpload, WithoutAKeyOrBesideAStaleOne) {
  for (const Error& refused : {kMissing, kUnknown}) {
    EXPECT_EQ(ask(good(), "", refused), kNone);
    EXPECT_EQ(grant_.fingerprint, fingerprint(kOne));
    EXPECT_NE(grant_.upload_expires, 0);
  }
  EXPECT_EQ(ask(good(), "X-Goog-Upload-Command: upload, finalize\r\nX-Goog-Upload-Protocol: resumable\r\n", kMissing),
            kNone);
}

TEST_F(AdmitUpload, AnAccessKeyCountsAlone) {
  EXPECT_EQ(ask(good(), "", {}), kNone);
  EXPECT_EQ(grant_.upload_expires, 0);
  EXPECT_EQ(ask("rotator_upload_credential=forged", "", {}), kNone);
  EXPECT_EQ(ask(good(), "", kTwoKeys), ErrorCode::kAccessKeyConflict);
}

TEST_F(AdmitUpload, WhatIsNotGoodIsRefused) {
  EXPECT_EQ(ask(good() + "&a=1", "", kMissing), kInvalid);
  EXPECT_EQ(ask("rotator_upload_credential=" + issued(), "", kMissing), kInvalid);
  const std::string twice = good() + "&rotator_upload_credential=" + issued();
  EXPECT_EQ(ask(twice, "", kMissing), kInvalid);
  EXPECT_EQ(ask(good(), "", kMissing, "openai_compatible"), ErrorCode::kAccessKeyMissing);
}

TEST_F(AdmitUpload, BeginsNoOtherUpload) {
  for (const char* fields : {"X-Goog-Upload-Command: start\r\n", "x-goog-upload-command: upload , START\r\n",
                             "X-Goog-Upload-Command: upload\r\nX-Goog-Upload-Command: start\r\n",
                             "X-Goog-Upload-Protocol: multipart\r\n", "X-Goog-Upload-Protocol: raw\r\n"}) {
    EXPECT_EQ(ask(good(), fields, kMissing), ErrorCode::kAccessKeyMissing) << fields;
    EXPECT_EQ(ask(good(), fields, {}), kNone) << fields;
  }
}

}  // namespace
}  // namespace akr
