#include "proxy/request_facts.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(RequestFacts, TheModelIsATopLevelMember) {
  EXPECT_EQ(
      read_body_facts(R"({"messages":[{"model":"inner","content":"\"model\":\"x\""}],"model":"gpt-4o"})", false).model,
      "gpt-4o");
  EXPECT_EQ(read_body_facts(R"({"model":"claude-sonnet","stream":true})", false).model, "claude-sonnet");
}

TEST(RequestFacts, WhatCannotBeReadIsUnknown) {
  for (const std::string_view body :
       {"", "not json", "[1]", R"({"model":7})", R"({"model":)", "\xff\xfe", R"({"mod":"x"})"}) {
    EXPECT_EQ(read_body_facts(body, true).model, "") << body;
  }
  EXPECT_EQ(read_body_facts(R"({"model":")" + std::string(300, 'm') + "\"}", false).model, "");
}

TEST(RequestFacts, ALongBodyIsReadToo) {
  const std::string body = R"({"input":")" + std::string(200'000, 'a') + R"(","model":"m"})";
  EXPECT_EQ(read_body_facts(body, false).model, "m");
}

TEST(RequestFacts, TheConversationIsTheFirstOfTheKnownMembers) {
  EXPECT_EQ(
      read_body_facts(R"({"user":"u","metadata":{"a":1,"user_id":"id"},"prompt_cache_key":"p"})", true).conversation,
      "p");
  EXPECT_EQ(read_body_facts(R"({"user":"u","metadata":{"a":{"user_id":"no"},"user_id":"id"}})", true).conversation,
            "id");
  const BodyFacts facts = read_body_facts(R"({"metadata":[],"user":"u","model":"m"})", true);
  EXPECT_EQ(facts.conversation, "u");
  EXPECT_EQ(facts.model, "m");
  EXPECT_EQ(read_body_facts(R"({"user":"u"})", false).conversation, "");
}

TEST(RequestFacts, GeminiNamesTheModelInThePath) {
  EXPECT_EQ(model_in_path("/v1beta/models/gemini-2.5-pro:generateContent?alt=sse"), "gemini-2.5-pro");
  EXPECT_EQ(model_in_path("/v1beta/models/gemini-2.5-pro"), "gemini-2.5-pro");
  EXPECT_EQ(model_in_path("/v1beta/tunedModels/mine:generateContent"), "mine");
  EXPECT_EQ(model_in_path("/v1beta/files?x=/models/y"), "");
}

TEST(RequestFacts, AConversationBelongsToItsClient) {
  EXPECT_EQ(hash_affinity("a", ""), 0U);
  EXPECT_NE(hash_affinity("a", "s"), 0U);
  EXPECT_EQ(hash_affinity("a", "s"), hash_affinity("a", "s"));
  EXPECT_NE(hash_affinity("a", "s"), hash_affinity("b", "s"));
  EXPECT_NE(hash_affinity("ab", "c"), hash_affinity("a", "bc"));
}

}  // namespace
}  // namespace akr
