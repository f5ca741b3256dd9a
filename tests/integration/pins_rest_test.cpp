// D23 for services of any kind by their affinity_rules, and what is particular about Gemini's uploads.
#include <set>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/pins_fixture.hpp"

namespace akr::test {
namespace {

// Answers of services without rules are none of our business, and those that are read must be readable.
class RestPins : public Pins {
 protected:
  RestPins() : Pins("") {}
};

TEST_F(RestPins, AnswersAreAskedForUncompressedAndErrorsAreInTheRestForm) {
  script_ = answering(R"({"job":{"id":"j1"}})");
  EXPECT_EQ(proxy_.post("/jobs", "{}", "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n").status, 200);
  EXPECT_EQ(upstream_.last().field("accept-encoding"), "identity");
  const int maker = key_of(upstream_.last());
  proxy_.blame(maker, {.key = KeyAction::kInvalidate, .retry = RetryAdvice::kNextKey, .reason = "x"});
  const HttpAnswer answer = proxy_.get("/jobs/j1");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(boost::json::parse(answer.body).at("code").as_string(), "pinned_key_unavailable");
}

// Pages have numbers like jobs: GET /jobs/7?page=2 was a conflict for ever once another key had made job 2.
TEST_F(RestPins, AQueryThatHappensToNameAnotherThingIsNoConflict) {
  const auto make_job = [this](const std::string& id) {
    script_ = answering(R"({"job":{"id":)" + id + "}}");
    EXPECT_EQ(proxy_.post("/jobs", "{}", kJson).status, 200);
    return key_of(upstream_.last());
  };
  const int of_seven = make_job("7");
  const int of_two = make_job("2");
  ASSERT_NE(of_seven, of_two);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy_.get("/jobs/7?page=2").status, 200);
    EXPECT_EQ(key_of(upstream_.last()), of_seven);
    EXPECT_EQ(proxy_.post("/any?page=2", R"({"after":7})", kJson).status, 200);
    EXPECT_EQ(key_of(upstream_.last()), of_seven);
    EXPECT_EQ(proxy_.get("/x?job=2&page=3").status, 200);
    EXPECT_EQ(key_of(upstream_.last()), of_two);
  }
  std::set<int> keys;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(proxy_.get("/x?page=7&size=2").status, 200);
    keys.insert(key_of(upstream_.last()));
  }
  EXPECT_EQ(keys.size(), 5U);
}

TEST_F(RestPins, OnlyTheRulesPathAndMethodCount) {
  script_ = answering(R"({"job":{"id":"j1"}})");
  proxy_.get("/jobs");
  proxy_.post("/jobs/x", "{}", kJson);
  EXPECT_EQ(proxy_.pins().size(), 0U);
}

TEST_F(RestPins, AForbiddenThingIsTheProvidersAnswer) {
  script_ = answering(R"({"job":{"id":"j1"}})");
  proxy_.post("/jobs", "{}", kJson);
  script_ = [](UpstreamCall& call) { call.answer(403, "not yours"); };
  const int before = upstream_.requests();
  const HttpAnswer answer = proxy_.get("/jobs/j1");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "not yours");
  EXPECT_EQ(upstream_.requests(), before + 1);
}

class GeminiPins : public Pins {
 protected:
  GeminiPins() : Pins(kGemini) {}
};

// The bytes of an upload may be JSON that names another key's file.
TEST_F(GeminiPins, AnUploadIsItsIdWhateverItsBytesName) {
  script_ = answering(R"({"file":{"name":"files/abc"}})");
  EXPECT_EQ(proxy_.post("/upload/v1beta/files", "{}", kJson).status, 200);
  const std::string other = upstream_.last().field("authorization");
  script_ = answering("{}", "Content-Type: application/json\r\nX-Goog-Upload-URL: https://h/u?upload_id=A%2DB\r\n");
  EXPECT_EQ(proxy_.post("/upload/v1beta/files", "{}", kJson).status, 200);
  const std::string maker = upstream_.last().field("authorization");
  ASSERT_NE(maker, other);
  script_ = answering("{}");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy_.post("/upload/v1beta/files?upload_id=A-B", R"({"fileUri":"files/abc"})", kJson).status, 200);
    EXPECT_EQ(upstream_.last().field("authorization"), maker);
  }
}

}  // namespace
}  // namespace akr::test
