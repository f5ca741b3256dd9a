// blame_test.cpp - answers that look like a verdict on a key and are none, and one that did not look like it and is.
//
// A challenge page, one user's flagged prompt, or a list of models that restricted keys may not read took all keys of a
// pool out for minutes; an account in arrears was told to clients as a bad request of theirs.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::answer_ok;
using test::ChangingScript;
using test::FakeUpstream;
using test::kChat;
using test::kJson;
using test::only_key;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kPath = test::kChatPath;

void expect_no_blame(ProxyUnderTest& proxy, int keys) {
  for (int i = 1; i <= keys; ++i) {
    const KeyStatus status = proxy.status(i);
    EXPECT_EQ(status.state, KeyState::kActive) << i;
    EXPECT_EQ(status.consecutive_failures, 0U) << i;
    EXPECT_TRUE(status.model_waits.empty()) << i;
  }
}

TEST(Blame, AFrontsPageIsNoKeysFault) {
  const std::string fields[] = {"Content-Type: text/html\r\n", "cf-mitigated: challenge\r\n"};
  for (const bool llm : {true, false}) {
    for (const int status : {401, 403, 429}) {
      for (const std::string& field : fields) {
        ChangingScript script;
        script = [&](UpstreamCall& call) { call.answer(status, "<!DOCTYPE html><title>Just a moment</title>", field); };
        FakeUpstream upstream([&](UpstreamCall& call) { script(call); });
        ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = llm});
        for (int i = 0; i < 4; ++i) {
          const auto answer = llm ? proxy.post(kPath, kChat) : proxy.get("/a");
          EXPECT_EQ(answer.status, status);  // as it came
          EXPECT_NE(answer.body.find("Just a moment"), std::string::npos);
        }
        expect_no_blame(proxy, 2);
        script = answer_ok;
        EXPECT_EQ((llm ? proxy.post(kPath, kChat) : proxy.get("/a")).status, 200);
      }
    }
  }
}

TEST(Blame, AFlaggedPromptIsItsClients) {
  const std::string refusal =
      R"({"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["x"]}}})";
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(403, refusal, kJson); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
  const auto answer = proxy.post(kPath, kChat);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, refusal);
  EXPECT_EQ(upstream.requests(), 1);
  expect_no_blame(proxy, 3);
}

TEST(Blame, AListThatAKeyMayNotReadIsAboutTheList) {
  const std::string scopes = R"({"error":{"message":"Missing scopes: api.model.read.","code":null}})";
  const std::pair<int, std::string> refusals[] = {{401, scopes}, {403, scopes}, {403, R"({"error":{"message":"no"}})"}};
  for (const auto& [status, body] : refusals) {
    FakeUpstream upstream([&](UpstreamCall& call) {
      call.request().method == "GET" ? call.answer(status, body, kJson) : answer_ok(call);
    });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
    for (int i = 0; i < 4; ++i) {
      const auto answer = proxy.get("/v1/models");
      EXPECT_EQ(answer.status, status);
      EXPECT_EQ(answer.body, body);
    }
    EXPECT_EQ(upstream.requests(), 8) << "each key is asked, since another may do it";
    expect_no_blame(proxy, 2);
    EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  }
}

// In chat the same refusal is about the model, and rests the key for it.
TEST(Blame, AModelThatAKeyMayNotUseRestsItForThatModel) {
  FakeUpstream upstream(
      only_key(1, 401, R"({"error":{"message":"Missing scopes: model.request."}})", std::string(kJson)));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
}

TEST(Blame, AnAccountInArrearsIsExhausted) {
  FakeUpstream upstream(
      only_key(1, 400, R"({"error":{"code":"Arrearage","message":"Access denied"}})", std::string(kJson)));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(proxy.post(kPath, kChat).status, 200);
  EXPECT_EQ(upstream.count_by("authorization")[ProxyUnderTest::bearer(1)], 1);
  EXPECT_EQ(proxy.status(1).state, KeyState::kExhausted);
}

}  // namespace
}  // namespace akr
