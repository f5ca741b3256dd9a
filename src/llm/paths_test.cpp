// paths_test.cpp - which dialect a path belongs to, and where providers put their models.
#include <gtest/gtest.h>

#include "llm/dialect/registry.hpp"
#include "llm/provider/registry.hpp"

namespace akr {
namespace {

struct Case {
  const char* path;
  const char* dialect;  // "" = none
  Operation operation;
};

constexpr Case kCases[] = {
    {"/v1/chat/completions", "openai_chat", Operation::kGenerate},
    {"/chat/completions", "openai_chat", Operation::kGenerate},
    {"/openai/deployments/my-gpt/chat/completions", "openai_chat", Operation::kGenerate},
    {"/v1beta/openai/chat/completions", "openai_chat", Operation::kGenerate},
    {"/v1/completions", "openai_chat", Operation::kGenerate},
    {"/v1/chat/completions/chatcmpl-1/messages", "openai_chat", Operation::kOther},
    {"/v1/responses", "openai_responses", Operation::kGenerate},
    {"/openai/responses", "openai_responses", Operation::kGenerate},
    {"/v1/responses/resp_1/input_items", "openai_responses", Operation::kOther},
    {"/v1/messages", "anthropic", Operation::kGenerate},
    {"/v1/v1/messages", "anthropic", Operation::kGenerate},
    {"/v1/messages/count_tokens", "anthropic", Operation::kOther},
    {"/v1/messages/batches/b/results", "anthropic", Operation::kOther},
    {"/v1beta/models/m:generateContent", "gemini", Operation::kGenerate},
    {"/v1/models/m%3AstreamGenerateContent", "gemini", Operation::kGenerate},
    {"/v1beta/files", "gemini", Operation::kOther},
    {"/upload/v1beta/files", "gemini", Operation::kOther},
    {"/v1/threads/t/messages", "", Operation::kNone},
    {"/v1/files", "", Operation::kNone},
    {"/v1/models", "", Operation::kNone},
    {"", "", Operation::kNone},
};

TEST(Paths, BelongToOneDialectOrToNone) {
  for (const Case& each : kCases) {
    for (const Dialect* dialect : dialects()) {
      const bool own = dialect->id() == each.dialect;
      EXPECT_EQ(dialect->operation_of(each.path), own ? each.operation : Operation::kNone)
          << each.path << ' ' << dialect->id();
    }
  }
}

TEST(Paths, TellWhichOfAProvidersDialectsIsSpoken) {
  const auto spoken = [](std::string_view provider, std::string_view path) {
    return find_provider(provider)->dialect_of(path).id();
  };
  EXPECT_EQ(spoken("openai_compatible", "/v1/chat/completions"), "openai_chat");
  EXPECT_EQ(spoken("openai_compatible", "/v1/responses"), "openai_responses");
  EXPECT_EQ(spoken("openai_compatible", "/v1/embeddings"), "openai_chat");
  EXPECT_EQ(spoken("openai_compatible", "/v1/messages"), "openai_chat") << "it speaks no other";
  EXPECT_EQ(spoken("ollama", "/v1/messages"), "anthropic");
  EXPECT_EQ(spoken("gemini_native", "/v1/responses"), "gemini");
}

TEST(Paths, NameTheModelWhereTheProviderHasItThere) {
  const Provider& azure = *find_provider("azure");
  EXPECT_EQ(azure.model_in("/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"), "my-gpt");
  EXPECT_EQ(azure.model_in("/openai/v1/chat/completions"), "");
  EXPECT_TRUE(azure.model.in_body);
  EXPECT_EQ(find_provider("openai_compatible")->model_in("/v1/models/gpt"), "");
  EXPECT_FALSE(find_provider("gemini_native")->model.in_body);
}

TEST(Presets, DifferFromOpenAiInWhatTheyDocument) {
  EXPECT_EQ(find_provider("azure")->credential.header, "api-key");
  EXPECT_EQ(find_provider("azure")->credential.prefix, "");
  EXPECT_EQ(find_provider("openrouter")->free_call, "/v1/key") << "anybody may read its list of models";
  for (const char* name : {"openrouter", "deepseek", "ollama", "vllm"}) {
    EXPECT_EQ(find_provider(name)->credential.header, "authorization") << name;
    EXPECT_EQ(find_provider(name)->resources, nullptr) << name;
    EXPECT_TRUE(find_provider(name)->account_request_headers.empty()) << name;
  }
  const UpstreamSpeech deepseek = {find_provider("deepseek"), find_provider("deepseek")->dialects.front()};
  EXPECT_EQ(deepseek.parse_error({.status = 429, .body = R"({"error":{"code":"rate_limit_exceeded"}})"}).kind,
            FailureKind::kRateLimit)
      << "OpenAI's words hold for all";
}

// What was sent during silence was one comment for all.  google-genai for Python and Go fail on it, and openai-python
// on the empty line behind it; Anthropic's clients know an event for it.  Stands for bytes of our own in a stream that
// some client of its dialect stumbles over; tests/sdk/keepalive.test.mjs shows it with clients.
TEST(KeepAlive, IsWhatClientsOfTheDialectPassOver) {
  for (const Dialect* dialect : dialects()) {
    const std::string_view bytes = dialect->keep_alive();
    if (dialect->id() == "gemini") EXPECT_EQ(bytes, "");
    if (dialect->id() == "anthropic") EXPECT_EQ(bytes, "event: ping\ndata: {\"type\": \"ping\"}\n\n");
    if (dialect->id().starts_with("openai")) EXPECT_EQ(bytes, ": keepalive\n") << "no empty line";
  }
}

}  // namespace
}  // namespace akr
