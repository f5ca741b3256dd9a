// D22: under `sticky` a conversation stays with one key, by whatever mark its client sends.  Agents send marks of their
// own, and those that put them into fields were spread over all keys, which costs the provider's prompt cache.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr::test {
namespace {

constexpr int kKeys = 8;

class Conversations : public testing::Test {
 protected:
  static ProxySpec sticky(const FakeUpstream& upstream) {
    ProxySpec spec = {.target_url = upstream.url(), .keys = kKeys, .llm = true, .policy = "sticky"};
    spec.is_admin = [](std::string_view token) { return token == "admin"; };
    return spec;
  }
  // Each turn has another text, so that only the mark tells which conversation it belongs to.
  std::string turn(const std::string& fields, const std::string& members = "") {
    const std::string text = std::to_string(++turns_);
    const std::string body = R"({"model":"m","messages":[{"role":"user","content":")" + text + "\"}]" + members + "}";
    last_ = proxy_.post("/v1/chat/completions", body, std::string(kJson) + fields);
    EXPECT_EQ(last_.status, 200);
    return upstream_.last().field("authorization");
  }
  void expect_one_key(const std::string& fields, const std::string& members = "") {
    const std::string key = turn(fields, members);
    for (int i = 0; i < kKeys; ++i) EXPECT_EQ(turn(fields, members), key) << fields << members;
  }

  FakeUpstream upstream_{[](UpstreamCall& call) { call.answer(200, R"({"choices":[]})", std::string(kJson)); }};
  ProxyUnderTest proxy_{sticky(upstream_)};
  HttpAnswer last_;
  int turns_ = 0;
};

TEST_F(Conversations, AreKnownByTheFieldsOfAgents) {
  for (const char* name : {"X-Session-Id", "X-Claude-Code-Session-Id", "session-id", "session_id", "thread-id",
                           "conversation_id", "x-session-affinity", "x-opencode-session"}) {
    expect_one_key(std::string(name) + ": one-" + name + "\r\n");
  }
}

TEST_F(Conversations, AreKnownByTheMembersOfAgents) {
  expect_one_key("", R"(,"prompt_cache_key":"0199")");
  expect_one_key("", R"(,"client_metadata":{"session_id":"0198"})");
  // Claude Code sends both; either is enough.
  const std::string key = turn("x-claude-code-session-id: 0197\r\n");
  EXPECT_EQ(turn("", R"(,"metadata":{"user_id":"user_1_account_2_session_0197"})"), key);
}

TEST_F(Conversations, OtherwiseAreSpread) {
  std::set<std::string> keys;
  for (int i = 0; i < 3 * kKeys; ++i) keys.insert(turn("x-session-affinity: " + std::to_string(i) + "\r\n"));
  EXPECT_GT(keys.size(), 1U);
}

TEST_F(Conversations, TheTraceAndTheLogSayByWhatAndNeverWhich) {
  turn("x-session-affinity: a-mark-of-somebody\r\nX-Rotator-Explain: 1\r\nX-Rotator-Admin: Bearer admin\r\n");
  EXPECT_NE(last_.field("x-rotator-trace").find(R"("conversation":"x-session-affinity")"), std::string::npos);
  EXPECT_EQ(last_.field("x-rotator-trace").find("a-mark-of-somebody"), std::string::npos);
  turn("", R"(,"prompt_cache_key":"another-mark")");
  turn("");
  const std::string log = proxy_.log();
  EXPECT_NE(log.find(R"("conversation":"x-session-affinity")"), std::string::npos) << log;
  EXPECT_NE(log.find(R"("conversation":"prompt_cache_key")"), std::string::npos);
  EXPECT_NE(log.find(R"("conversation":"beginning")"), std::string::npos);
  EXPECT_EQ(log.find("a-mark-of-somebody"), std::string::npos);
  EXPECT_EQ(log.find("another-mark"), std::string::npos);
}

}  // namespace
}  // namespace akr::test
