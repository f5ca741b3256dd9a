#include "proxy/request/request_facts.hpp"

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"

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

// What agents send by themselves named nothing: Claude Code's session was taken with all that stands around it, and
// Codex' only if it had a cache key.
TEST(RequestFacts, AgentsNameTheirSessions) {
  struct Case {
    const char *body, *conversation, *known_by;
  };
  const Case cases[] = {
      {R"({"metadata":{"user_id":"user_0a1b_account_2c3d_session_9f8e-7d"},"messages":[]})", "9f8e-7d",
       "metadata.user_id"},
      {R"({"metadata":{"user_id":"{\"device_id\":\"d\",\"account_uuid\":\"\",\"session_id\":\"9f8e-7d\"}"}})",
       "9f8e-7d", "metadata.user_id"},
      {R"({"metadata":{"user_id":"somebody"}})", "somebody", "metadata.user_id"},
      {R"({"metadata":{"user_id":"{\"session_id\":"}})", R"({"session_id":)", "metadata.user_id"},
      {R"({"client_metadata":{"x":1,"session_id":"s-1","thread_id":"t-1"},"user":"u"})", "s-1", "client_metadata"},
      {R"({"client_metadata":{"thread_id":"t-1"}})", "t-1", "client_metadata"},
      {R"({"client_metadata":{"session_id":"s-1"},"prompt_cache_key":"p"})", "p", "prompt_cache_key"},
      {R"({"client_metadata":7,"user":"u"})", "u", "user"},
  };
  for (const auto& [body, conversation, known_by] : cases) {
    const BodyFacts facts = read_body_facts(body, true);
    EXPECT_EQ(facts.conversation, conversation) << body;
    EXPECT_EQ(facts.known_by, known_by) << body;
  }
  EXPECT_EQ(read_body_facts(R"({"input":"hello"})", true).known_by, "beginning");
  EXPECT_EQ(read_body_facts(R"({"model":"m"})", true).known_by, "");
}

std::string beginning(std::string_view body) { return read_body_facts(body, true).conversation; }

TEST(RequestFacts, EveryTurnOfAConversationHasTheSameBeginning) {
  const std::string first = R"("messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"})";
  const std::string chat = beginning("{\"model\":\"m\"," + first + "]}");
  EXPECT_FALSE(chat.empty());
  EXPECT_EQ(beginning("{" + first + R"(,{"role":"assistant","content":"yes?"},{"role":"user","content":"go on"}]})"),
            chat);
  EXPECT_NE(beginning(R"({"messages":[{"role":"system","content":"be kind"},{"role":"user","content":"ho"}]})"), chat);
  EXPECT_NE(beginning(R"({"messages":[{"role":"system","content":"be rude"},{"role":"user","content":"hi"}]})"), chat);
  EXPECT_EQ(beginning("{\"user\":\"u\"," + first + "]}"), "u");

  const std::string claude =
      beginning(R"({"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":"a"}]})");
  EXPECT_FALSE(claude.empty());
  EXPECT_EQ(beginning(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],)"
                      R"("stream":true,"system":[{"type":"text","text":"s"}]})"),
            claude);
  EXPECT_NE(beginning(R"({"system":"t","messages":[{"role":"user","content":"a"}]})"), claude);

  const std::string gemini = beginning(R"({"contents":[{"parts":[{"text":"a"}]}]})");
  EXPECT_EQ(beginning(R"({"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[]}]})"), gemini);
  EXPECT_NE(beginning(R"({"contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[]}})"), gemini);

  const std::string responses = beginning(R"({"instructions":"i","input":"hello"})");
  EXPECT_FALSE(responses.empty());
  EXPECT_NE(beginning(R"({"instructions":"i","input":"bye"})"), responses);
}

TEST(RequestFacts, InstructionsAloneAreNoConversation) {
  for (const char* body : {R"({"system":"s"})", R"({"messages":[]})", R"({"messages":[1]})", R"({"messages":7})",
                           R"({"messages":[{"role":"user")", R"({"input":{}})", R"({"contents":null})"}) {
    EXPECT_EQ(beginning(body), "") << body;
  }
}

TEST(RequestFacts, ManyMessagesBeforeTheUsersAreCutOff) {
  std::string body = R"({"messages":[)";
  for (int i = 0; i < 4; ++i) body += R"({"role":"assistant","content":"x"},)";
  EXPECT_EQ(beginning(body + R"({"role":"user","content":"a"}]})"),
            beginning(body + R"({"role":"user","content":"b"}]})"));
}

TEST(RequestFacts, GeminiNamesTheModelInThePath) {
  EXPECT_EQ(find_provider("gemini_native")->model_in("/v1beta/models/gemini-2.5-pro:generateContent?alt=sse"),
            "gemini-2.5-pro");
  EXPECT_EQ(find_provider("gemini_native")->model_in("/v1beta/models/gemini-2.5-pro"), "gemini-2.5-pro");
  EXPECT_EQ(find_provider("gemini_native")->model_in("/v1beta/tunedModels/mine:generateContent"), "mine");
  EXPECT_EQ(find_provider("gemini_native")->model_in("/v1beta/files?x=/models/y"), "");
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
