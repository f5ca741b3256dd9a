// D23: a pinned thing belongs to the access key that made it.  A second access key read the first one's file with 200
// whenever its request happened to go out with the same upstream key.
#include "tests/support/owned_things.hpp"

#include <set>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace akr::test {
namespace {

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

// Beside one's own id in the path, and behind 24 others, nobody looked at the query.
TEST_F(OwnedThings, AnIdOfOnesOwnBesideThemHelpsNobody) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  answered(kBob, "POST", "/v1/files", R"({"id":"file-b"})", "form");
  expect_unknown(kBob, "GET", "/v1/files/file-b?after=file-1");
  expect_unknown(kBob, "POST", "/v1/files/file-b", R"({"file_id":"file-1"})");
  std::string many;
  for (int i = 0; i < 40; ++i) many += "x" + std::to_string(i) + "=1&";
  expect_unknown(kBob, "GET", "/v1/files?" + many + "after=file-1");
  expect_unknown(kBob, "GET", "/v1/files?after=file%252D1");
  std::string deep = "/v1/files";
  for (int i = 0; i < 40; ++i) deep += "/x";
  expect_unknown(kBob, "GET", deep + "/file-1");
  expect_unknown(kBob, "GET", "/v1/files/a;b;c;d;e;f;g;h;i;j;file-1");
  expect_served(kBob, "GET", "/v1/files/file-b?after=file-b&page=2");
}

// Answers of creations were not read if their type was odd, and so what they made was nobody's.
TEST_F(OwnedThings, AnOddTypeOfTheAnswerHidesNothing) {
  int number = 0;
  for (const char* type : {"*/*", "text/plain", "application/octet-stream", "json", "text/json; charset=utf-8",
                           "application/vnd.api+json", "text/html", ""}) {
    const std::string id = "file-odd" + std::to_string(number++);
    script_ = answering(" \n{\"id\":\"" + id + "\"}", "Content-Type: " + std::string(type) + "\r\n");
    ASSERT_EQ(ask_as(kAlice, "POST", "/v1/files", "form").status, 200);
    script_ = answering("{}");
    expect_unknown(kBob, "GET", "/v1/files/" + id);
    expect_served(kAlice, "GET", "/v1/files/" + id);
  }
}

// What a client uploaded itself, and then downloads, said that another one's file was made for it.
TEST_F(OwnedThings, ContentSaysNothingAboutOwners) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  answered(kBob, "POST", "/v1/files", R"({"id":"file-b"})", "form");
  answered(kBob, "GET", "/v1/files/file-b/content", R"({"id":"file-1","output_file_id":"file-1"})");
  expect_unknown(kBob, "GET", "/v1/files/file-1");
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

// Whoever got an upstream to list by a POST owned all that it holds.  The kind: a list tells what there is, not what
// was made just now.
TEST_F(OwnedThings, AListMakesNothingWhoeverAsksForIt) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string list = R"({"object":"list","data":[{"id":"file-1"},{"id":"file-2","output_file_id":"file-3"}]})";
  answered(kBob, "POST", "/v1/files", list, "{}");
  answered(kBob, "QUERY", "/v1/files/", R"({"id":"file-4"})");
  expect_unknown(kBob, "GET", "/v1/files/file-1");
  for (const char* path : {"/v1/files/file-2", "/v1/files/file-3", "/v1/files/file-4"}) {
    expect_served(kAlice, "GET", path);
    expect_served(kBob, "GET", path);
  }
  expect_served(kAlice, "GET", "/v1/files/file-1");
}

// But items of a conversation are made by lists.
TEST_F(OwnedThings, ItemsThatARequestMakesAreItsOwn) {
  answered(kAlice, "POST", "/v1/conversations", R"({"id":"conv_1"})", "{}");
  answered(kAlice, "POST", "/v1/conversations/conv_1/items", R"({"object":"list","data":[{"id":"msg_1"}]})", "{}");
  expect_unknown(kBob, "POST", "/v1/responses", R"({"input":[{"type":"item_reference","id":"msg_1"}]})");
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

TEST_F(OwnedGeminiThings, AListMakesNothingWhoeverAsksForIt) {
  answered(kAlice, "POST", "/v1beta/files", R"({"file":{"name":"files/a"}})", "{}");
  answered(kBob, "POST", "/v1beta/files", R"({"files":[{"name":"files/a"},{"name":"files/b"}]})", "{}");
  expect_unknown(kBob, "GET", "/v1beta/files/a");
  expect_served(kAlice, "GET", "/v1beta/files/b");
  answered(kBob, "POST", "/v1beta/files:register", R"({"files":[{"name":"files/c"}]})", "{}");
  expect_unknown(kAlice, "GET", "/v1beta/files/c");
}

TEST_F(OwnedGeminiThings, AreNotFoundInItsDialect) {
  answered(kAlice, "POST", "/v1beta/cachedContents", R"({"name":"cachedContents/c1"})", "{}");
  const auto body = boost::json::parse(expect_unknown(kBob, "GET", "/v1beta/cachedContents/c1").body);
  EXPECT_EQ(body.at("error").at("code"), 404);
  EXPECT_EQ(body.at("error").at("status"), "NOT_FOUND");
}

// A file was reached by its URI in another spelling, or beside an upload of one's own.
TEST_F(OwnedGeminiThings, NoSpellingOfAUriLeadsPastTheirOwner) {
  answered(kAlice, "POST", "/v1beta/files", R"({"file":{"name":"files/abc","uri":"https://h/v1beta/files/abc"}})",
           "{}");
  const auto body = [](const std::string& uri) {
    return R"({"contents":[{"parts":[{"fileData":{"fileUri":")" + uri + R"("}}]}]})";
  };
  const std::string generate = "/v1beta/models/gemini-2.5-flash:generateContent";
  for (const char* uri : {"files/abc", "https://generativelanguage.googleapis.com/v1beta/files/abc",
                          "HTTPS://GENERATIVELANGUAGE.GOOGLEAPIS.COM:443/v1beta/files/abc?key=x#y",
                          "http://gateway.test/llm/s/v1beta/files/abc", "https://h/v1beta/files%2Fabc", "files%2fab%63",
                          "files%252Fabc", "files//abc", "files/abc/", " files/abc", "files/./abc", "files/x/../abc",
                          "files/abc;x", "\\u0066iles/abc", "files\\\\abc", "https:\\/\\/h\\/files\\/abc"}) {
    expect_unknown(kBob, "POST", generate, body(uri));
    expect_served(kAlice, "POST", generate, body(uri));
  }
  EXPECT_EQ(ask_as(kBob, "POST", generate, "{'contents':[{'parts':[{'fileData':{'fileUri':'files/abc'}}]}]}").status,
            400);
  const std::string long_query = "https://h/v1beta/files/abc?x=" + std::string(5000, 'a');
  expect_unknown(kBob, "POST", generate, body(long_query));
  expect_served(kBob, "POST", generate, body("https://h/v1beta/files/other?x=" + std::string(5000, 'a')));
  expect_served(kBob, "POST", generate, body("data:image/png;base64," + std::string(5000, 'a')));
  script_ = answering(
      "{}", "Content-Type: application/json\r\nX-Goog-Upload-URL: https://h/upload/v1beta/files?upload_id=B\r\n");
  ASSERT_EQ(ask_as(kBob, "POST", "/upload/v1beta/files", "{}").status, 200);
  script_ = answering("{}");
  expect_served(kBob, "POST", "/upload/v1beta/files?upload_id=B", "bytes");
  expect_unknown(kBob, "GET", "/v1beta/files/abc?upload_id=B");
  expect_unknown(kBob, "POST", generate + "?upload_id=B", body("files/abc"));
  expect_unknown(kBob, "GET", "/v1beta/files?upload_id=B&x=files%2Fabc");
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
  // Where nothing is hidden, what cannot be read ended the search, and the id behind it was not seen.
  const std::string odd = R"({"file_ids":[")" + std::string(5000, 'x') + R"(","file-1"]})";
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(proxy.ask("POST", "/v1/vector_stores", odd, kJson, kBob).status, 200);
    EXPECT_EQ(upstream.last().field("authorization"), maker);
  }
}

}  // namespace
}  // namespace akr::test
