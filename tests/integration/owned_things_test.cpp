// D23: a pinned thing belongs to the access key that made it.  A second access key read the first one's file with 200
// whenever its request happened to go out with the same upstream key.
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/pins_fixture.hpp"

namespace akr::test {
namespace {

constexpr std::string_view kAlice = ProxyUnderTest::kAccessKey;
constexpr std::string_view kBob = ProxyUnderTest::kOtherAccessKey;

class OwnedThings : public Pins {
 protected:
  explicit OwnedThings(const char* format = kOpenAi) : Pins(format) {}

  HttpAnswer ask_as(std::string_view who, std::string_view method, std::string_view path, std::string_view body = {}) {
    return proxy_.ask(method, path, body, kJson, who);
  }
  // Answered by the upstream with `body`.
  void answered(std::string_view who, std::string_view method, std::string_view path, const std::string& body,
                std::string_view sent = {}) {
    script_ = answering(body);
    ASSERT_EQ(ask_as(who, method, path, sent).status, 200) << method << ' ' << path;
    script_ = answering("{}");
  }
  HttpAnswer expect_unknown(std::string_view who, std::string_view method, std::string_view path,
                            std::string_view body = {}) {
    const int before = upstream_.requests();
    HttpAnswer answer = ask_as(who, method, path, body);
    EXPECT_EQ(answer.status, 404) << method << ' ' << path;
    EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
    EXPECT_EQ(upstream_.requests(), before) << "no upstream is asked";
    return answer;
  }
  void expect_served(std::string_view who, std::string_view method, std::string_view path, std::string_view body = {}) {
    EXPECT_EQ(ask_as(who, method, path, body).status, 200) << method << ' ' << path;
  }
};

TEST_F(OwnedThings, DoNotExistForAnotherAccessKey) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(code_of(expect_unknown(kBob, "GET", "/v1/files/file-1/content")), "not_found");
  }
  expect_unknown(kBob, "DELETE", "/v1/files/file-1");
  expect_unknown(kBob, "POST", "/v1/batches", R"({"input_file_id":"file-1","endpoint":"/v1/responses"})");
  expect_unknown(kBob, "GET", "/v1/files?after=file-1");
  expect_served(kAlice, "GET", "/v1/files/file-1");
  expect_served(kBob, "GET", "/v1/files/file-2");  // made elsewhere, perhaps
}

// Spellings of a request that servers read as the plain one hid what it names (kind: what the upstream understands, we
// understand).
TEST_F(OwnedThings, NoSpellingLeadsPastTheirOwner) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  for (const char* path : {"/v1/files%2ffile-1", "/v1/files/file-1%2Fcontent", "/v1/files/file-1;x=1",
                           "/v1/files%5cfile-1", "/v1/files//file-1"})
    expect_unknown(kBob, "GET", path);
  const std::string names = R"({"input_file_id":"file-1","endpoint":"/v1/responses"})";
  expect_unknown(kBob, "POST", "/v1/batches", "\xef\xbb\xbf" + names);
  const std::string deep = "{\"x\":" + std::string(70, '[') + "\"]\\\"[\"" + std::string(70, ']') + ",";
  expect_unknown(kBob, "POST", "/v1/batches", deep + names.substr(1));
  expect_served(kAlice, "POST", "/v1/batches", deep + names.substr(1));
}

TEST_F(OwnedThings, AListShowsThemAndGivesNothingAway) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  answered(kBob, "GET", "/v1/files", R"({"data":[{"id":"file-1"},{"id":"file-2"}]})");
  expect_unknown(kBob, "GET", "/v1/files/file-1");
  expect_served(kBob, "GET", "/v1/files/file-2");
  answered(kAlice, "GET", "/v1/files", R"({"data":[{"id":"file-1"},{"id":"file-2"}]})");
  expect_served(kBob, "GET", "/v1/files/file-2");
}

// A file of the provider's console, which everybody uses, must not become the first one's who names it.
TEST_F(OwnedThings, WhatARequestNamesIsNotMadeByIt) {
  answered(kAlice, "POST", "/v1/batches", R"({"id":"batch_1","input_file_id":"file-x"})",
           R"({"input_file_id":"file-x"})");
  answered(kAlice, "POST", "/v1/conversations/conv_x", R"({"id":"conv_x"})", "{}");
  expect_unknown(kBob, "GET", "/v1/batches/batch_1");
  expect_served(kBob, "POST", "/v1/batches", R"({"input_file_id":"file-x"})");
  expect_served(kBob, "POST", "/v1/responses", R"({"model":"m","conversation":"conv_x"})");
}

TEST_F(OwnedThings, WhatAJobMadeBelongsToWhoMadeTheJob) {
  answered(kAlice, "POST", "/v1/batches", R"({"id":"batch_1","input_file_id":"file-x"})",
           R"({"input_file_id":"file-x"})");
  answered(kAlice, "GET", "/v1/batches/batch_1",
           R"({"id":"batch_1","input_file_id":"file-x","output_file_id":"file-o"})");
  expect_unknown(kBob, "GET", "/v1/files/file-o/content");
  expect_served(kAlice, "GET", "/v1/files/file-o/content");
  expect_served(kBob, "GET", "/v1/files/file-x");
}

TEST_F(OwnedThings, OneNameInTwoAccountsIsTwoThings) {
  script_ = answering(R"({"id":"file-1"})");
  ASSERT_EQ(ask_as(kAlice, "POST", "/v1/files", "form").status, 200);
  const int first = key_of(upstream_.last());
  ASSERT_EQ(ask_as(kBob, "POST", "/v1/files", "form").status, 200);
  const int second = key_of(upstream_.last());
  ASSERT_NE(first, second);
  for (int i = 0; i < 3; ++i) {
    expect_served(kAlice, "GET", "/v1/files/file-1");
    EXPECT_EQ(key_of(upstream_.last()), first);
    expect_served(kBob, "GET", "/v1/files/file-1");
    EXPECT_EQ(key_of(upstream_.last()), second);
  }
}

class OwnedAnthropicThings : public OwnedThings {
 protected:
  OwnedAnthropicThings() : OwnedThings(kAnthropic) {}
};

TEST_F(OwnedAnthropicThings, AreNotFoundInItsDialect) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file_1"})", "form");
  const auto body = boost::json::parse(expect_unknown(kBob, "GET", "/v1/files/file_1").body);
  EXPECT_EQ(body.at("type"), "error");
  EXPECT_EQ(body.at("error").at("type"), "not_found_error");
}

class OwnedGeminiThings : public OwnedThings {
 protected:
  OwnedGeminiThings() : OwnedThings(kGemini) {}
};

TEST_F(OwnedGeminiThings, AreNotFoundInItsDialect) {
  answered(kAlice, "POST", "/v1beta/cachedContents", R"({"name":"cachedContents/c1"})", "{}");
  const auto body = boost::json::parse(expect_unknown(kBob, "GET", "/v1beta/cachedContents/c1").body);
  EXPECT_EQ(body.at("error").at("code"), 404);
  EXPECT_EQ(body.at("error").at("status"), "NOT_FOUND");
}

class OwnedRestThings : public OwnedThings {
 protected:
  OwnedRestThings() : OwnedThings("") {}
};

// Accounts that number their things all have a 42.
TEST_F(OwnedRestThings, AreThoseWithANameOfTheirOwn) {
  answered(kAlice, "POST", "/jobs", R"({"job":{"id":"a-b-c"}})", "{}");
  answered(kAlice, "POST", "/jobs", R"({"job":{"id":42}})", "{}");
  const auto body = boost::json::parse(expect_unknown(kBob, "GET", "/jobs/a-b-c").body);
  EXPECT_EQ(body.at("code"), "not_found");
  expect_served(kBob, "GET", "/jobs/42");
}

TEST(SharedThings, AreReachedByAllAccessKeysWithTheKeyThatMadeThem) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, R"({"id":"file-1"})", kJsonType); });
  ProxySpec spec = spec_for(upstream, kOpenAi);
  spec.adjust = [](Service& service) { service.share_resources = true; };
  ProxyUnderTest proxy(spec);
  ASSERT_EQ(proxy.ask("POST", "/v1/files", "form", kJson, kAlice).status, 200);
  const std::string maker = upstream.last().field("authorization");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(proxy.ask("GET", "/v1/files/file-1", {}, {}, kBob).status, 200);
    EXPECT_EQ(upstream.last().field("authorization"), maker);
  }
}

}  // namespace
}  // namespace akr::test
