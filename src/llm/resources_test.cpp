// What each dialect says about things that belong to a key, with requests and ids as the providers have them.
#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"

namespace akr {
namespace {

const ResourceMap& map_of(std::string_view api_format) { return *find_provider(api_format)->resources; }

bool makes(std::string_view api_format, std::string_view method, std::string_view path, std::string_view body = {}) {
  return find_resource_rule(map_of(api_format), method, path, body) != nullptr;
}

TEST(Resources, OpenAiPathsThatMakeThings) {
  for (const char* path : {"/v1/files",
                           "/files",
                           "/v1/files/file-1",
                           "/v1/uploads",
                           "/v1/uploads/upload_1/complete",
                           "/v1/batches",
                           "/v1/batches/batch_1",
                           "/v1/fine_tuning/jobs/ftjob-1",
                           "/v1/responses",
                           "/v1/responses/resp_1",
                           "/v1/conversations",
                           "/v1/vector_stores/vs_1/files",
                           "/v1/assistants",
                           "/v1/threads",
                           "/v1/threads/runs",
                           "/v1/containers",
                           "/v1/evals",
                           "/v1/videos",
                           "/v1/realtime/client_secrets",
                           "/v1/realtime/calls",
                           "/openai/v1/files",
                           "/v1beta/openai/files"})
    EXPECT_TRUE(makes("openai_compatible", "POST", path)) << path;
  for (const char* path : {"/v1/chat/completions", "/v1/embeddings", "/v1/moderations", "/v1/images/generations",
                           "/v1/models", "/v1/models/files", "", "/", "/v1"})
    EXPECT_FALSE(makes("openai_compatible", "POST", path, R"({"model":"m","messages":[]})")) << path;
  EXPECT_FALSE(makes("openai_compatible", "DELETE", "/v1/files/file-1"));
}

TEST(Resources, AStoredChatCompletionIsOneThatSaysSo) {
  constexpr std::string_view kChat = "/v1/chat/completions";
  EXPECT_TRUE(makes("openai_compatible", "POST", kChat, R"({"model":"m","store":true,"messages":[]})"));
  EXPECT_TRUE(makes("openai_compatible", "POST", kChat, R"({"model":"m","modalities":["audio"]})"));
  EXPECT_FALSE(makes("openai_compatible", "POST", kChat, R"({"messages":[{"content":"\"store\":true"}]})"));
  const std::string late =
      R"({"model":"m","messages":[],"tools":[)" + std::string(100'000, ' ') + R"(],"store": true})";
  EXPECT_TRUE(makes("openai_compatible", "POST", kChat, late));
  const std::string early = R"({"store":true,"messages":[)" + std::string(100'000, ' ') + R"(],"model":"m"})";
  EXPECT_TRUE(makes("openai_compatible", "POST", kChat, early));
}

// A space before the colon hid a stored completion.
TEST(Resources, AStoredChatCompletionMayBeWrittenWithSpaces) {
  constexpr std::string_view kChat = "/v1/chat/completions";
  EXPECT_TRUE(makes("openai_compatible", "POST", kChat, R"({"model" : "m", "store" : true, "messages" : []})"));
  EXPECT_TRUE(makes("openai_compatible", "POST", kChat, "{\"model\":\"m\",\"modalities\"\n:[\"audio\"]}"));
}

TEST(Resources, AnthropicPathsThatMakeThings) {
  for (const char* path : {"/v1/files", "/v1/files/file_1", "/v1/messages/batches", "/v1/messages/batches/msgbatch_1",
                           "/v1/skills", "/v1/skills/skill_1/versions"})
    EXPECT_TRUE(makes("anthropic_native", "POST", path)) << path;
  EXPECT_FALSE(makes("anthropic_native", "POST", "/v1/messages", R"({"model":"m","messages":[]})"));
  EXPECT_FALSE(makes("anthropic_native", "POST", "/v1/messages/count_tokens", R"({"container":"c"})"));
  EXPECT_FALSE(makes("anthropic_native", "GET", "/v1/models"));
  EXPECT_TRUE(makes("anthropic_native", "POST", "/v1/messages",
                    R"({"model":"m","tools":[{"type":"code_execution_20250825","name":"code_execution"}]})"));
}

TEST(Resources, GeminiPathsThatMakeThings) {
  for (const char* path :
       {"/upload/v1beta/files", "/v1beta/files/abc", "/v1/cachedContents", "/v1beta/batches/b1",
        "/v1beta/models/gemini-2.5-flash:batchGenerateContent",
        "/v1beta/models/gemini-2.5-flash%3AbatchGenerateContent", "/v1beta/models/veo-3:predictLongRunning",
        "/v1beta/models/veo-3/operations/o1", "/v1beta/tunedModels", "/v1beta/fileSearchStores",
        "/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore", "/v1beta/interactions"})
    EXPECT_TRUE(makes("gemini_native", "POST", path)) << path;
  EXPECT_TRUE(makes("gemini_native", "POST", "/v1beta/models/m%3abatchGenerateContent"));
  for (const char* path : {"/v1beta/models/gemini-2.5-flash:generateContent", "/v1beta/models",
                           "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
                           "/v1beta/tunedModels/t:generateContent", "/v1beta/models/e:batchEmbedContents"})
    EXPECT_FALSE(makes("gemini_native", "POST", path)) << path;
}

// Memory stores, user profiles, deployments, dreams and tunnels of Anthropic, and what came with newer versions of all
// three SDKs, were made with one key and asked for with any.  tests/sdk/resources.test.mjs walks the SDKs' own lists.
TEST(Resources, WhatNewerSdksMake) {
  for (const char* path : {"/v1/memory_stores", "/v1/memory_stores/memstore_1/memories", "/v1/user_profiles",
                           "/v1/deployments", "/v1/deployments/dep_1/run", "/v1/deployment_runs/drun_1", "/v1/dreams",
                           "/v1/tunnels", "/v1/tunnels/tnl_1/certificates", "/v1/agents", "/v1/environments",
                           "/v1/sessions", "/v1/vaults/vlt_1/credentials", "/v1/organizations/workspaces"})
    EXPECT_TRUE(makes("anthropic_native", "POST", path)) << path;
  for (const char* path : {"/v1/agents", "/v1/agents/sessions", "/v1/vaults", "/v1/live/sessions", "/v1/audio/voices",
                           "/v1/audio/voice_consents", "/v1/webhook_endpoints", "/v1/organization/projects"})
    EXPECT_TRUE(makes("openai_compatible", "POST", path)) << path;
  EXPECT_FALSE(makes("openai_compatible", "POST", "/v1/audio/speech"));
  for (const char* path : {"/v1beta/agents", "/v1beta/environments", "/v1beta/triggers/t/executions", "/v1beta/voices",
                           "/v1beta/webhooks/w:rotateSigningSecret", "/v1beta/credentials", "/v1beta/files:register"})
    EXPECT_TRUE(makes("gemini_native", "POST", path)) << path;
}

// A client's own upload said, as it was downloaded, that another one's file was made for it.
TEST(Resources, WhatIsDownloadedNamesNothing) {
  for (const char* path : {"/v1/files/file-1/content", "/v1/containers/c/files/f/content", "/v1/videos/v/content"})
    EXPECT_FALSE(makes("openai_compatible", "GET", path)) << path;
  for (const char* path : {"/v1/files/file_1/content", "/v1/messages/batches/msgbatch_1/results"})
    EXPECT_FALSE(makes("anthropic_native", "GET", path)) << path;
  EXPECT_FALSE(makes("gemini_native", "GET", "/v1beta/files/abc:download"));
}

TEST(Resources, NamesAreTheEndOfUrlsWithoutTheirVerb) {
  const ResourceMap& gemini = map_of("gemini_native");
  const std::pair<const char*, const char*> cases[] = {
      {"files/abc", "files/abc"},
      {"https://generativelanguage.googleapis.com/v1beta/files/abc", "files/abc"},
      {"https://generativelanguage.googleapis.com/v1beta/files/abc:download?alt=media", "files/abc"},
      {"models/veo-3/operations/o1", "operations/o1"},
      {"cachedContents/x", "cachedContents/x"},
      {"v1_ChdX", "v1_ChdX"},
      {"/x", "/x"},
      {"", ""},
      {"https://youtu.be/watch?v=1", "youtu.be/watch"},
  };
  for (const auto& [value, id] : cases) EXPECT_EQ(resource_id(gemini, value), id) << value;
  EXPECT_EQ(resource_id(map_of("openai_compatible"), "ft:gpt/x:y"), "ft:gpt/x:y");
}

TEST(Resources, UrlsInFields) {
  EXPECT_EQ(resource_in_url("/v1/realtime/calls/rtc_1"), "rtc_1");
  EXPECT_EQ(resource_in_url("https://h/upload/v1beta/files?upload_id=A-b_c&upload_protocol=resumable"), "A-b_c");
  EXPECT_EQ(resource_in_url(""), "");
}

TEST(Resources, TargetsNameThem) {
  const auto in = [](const char* format, std::string_view path, std::string_view query) {
    const ResourceMap* const map = *format == '\0' ? nullptr : &map_of(format);
    const auto ids = resources_in_path(map, path);
    const auto more = resources_in_query(map, query);
    std::set<std::string> all(ids.begin(), ids.end());
    all.insert(more.begin(), more.end());
    return all;
  };
  using Set = std::set<std::string>;
  EXPECT_EQ(in("openai_compatible", "/v1/threads/thread_1/runs/run_1", "after=a%2Fb&limit=&x"),
            (Set{"v1", "threads", "thread_1", "runs", "run_1", "a/b"}));
  EXPECT_EQ(in("", "/jobs/4711", ""), (Set{"jobs", "4711"}));
  for (const char* path : {"/v1beta/batches/b1:cancel", "/v1beta/batches/b1%3Acancel", "/v1beta/batches%2Fb1"})
    EXPECT_TRUE(in("gemini_native", path, "").contains("batches/b1")) << path;
  EXPECT_TRUE(in("gemini_native", "/v1beta/models/veo/operations/o1", "").contains("operations/o1"));
  EXPECT_TRUE(in("gemini_native", "/upload/v1beta/files", "upload_id=AB&upload_protocol=resumable").contains("AB"));
  EXPECT_TRUE(in("gemini_native", "/v1beta/tunedModels/t:generateContent", "").contains("tunedModels/t"));
}

// An id in a list, between blanks or decoded once more went past whoever looked for it (kind: what a server reads as an
// id is one).
TEST(Resources, TargetsNameThemInAnyFrame) {
  const ResourceMap& map = map_of("openai_compatible");
  const auto holds = [](const std::vector<std::string>& all) { return std::ranges::find(all, "f-1") != all.end(); };
  for (const char* query : {"a=x,f-1", "a=[f-1]", "a=%5B%22x%22%2C%22f-1%22%5D", "a=+f-1+", "a=%20f-1", "a=f-1%00",
                            "a=x;b=f-1", "a=%25252566-1"})
    EXPECT_TRUE(holds(resources_in_query(&map, query))) << query;
  for (const char* path : {"/files/f-1%20", "/files/%09f-1", "/files/%25252566-1", "/files/f-1,x", "/files/f-1%3Fx"})
    EXPECT_TRUE(holds(resources_in_path(&map, path))) << path;
}

TEST(Resources, BodiesOfFiles) {
  const ResourceMap& openai = map_of("openai_compatible");
  for (const char* path : {"/v1/files", "/v1/uploads/u/parts", "/v1/audio/transcriptions", "/openai/v1/files"})
    EXPECT_TRUE(takes_file(openai, path)) << path;
  for (const char* path :
       {"/v1/containers/c/files", "/v1/vector_stores/v/files", "/v1/files/f", "/v1/images/edits", "/v1/audio/voices",
        "/upload/v1/files/x", "/v1/uploads/u%2F..%2F../parts", "/v1/uploads/u;/parts", "/v1/responses"})
    EXPECT_FALSE(takes_file(openai, path)) << path;
  EXPECT_TRUE(takes_file(map_of("gemini_native"), "/upload/v1beta/files"));
  EXPECT_FALSE(takes_file(map_of("gemini_native"), "/v1beta/files"));
  EXPECT_TRUE(takes_file(map_of("anthropic_native"), "/v1/files"));
}

TEST(Resources, TargetsOfAnyBytesAreSurvived) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string path, query;
    for (auto length = random() % 60; length > 0; --length) path += "/%:a2?&=\xff"[random() % 9];
    for (auto length = random() % 60; length > 0; --length) query += "/%:a2?&=\xff"[random() % 9];
    for (const char* format : {"openai_compatible", "gemini_native"}) {
      resources_in_path(&map_of(format), path);
      resources_in_query(&map_of(format), query);
      find_resource_rule(map_of(format), "POST", path, query);
      static_cast<void>(resource_id(map_of(format), path));
      static_cast<void>(resource_in_url(path));
    }
  }
}

TEST(Resources, Patterns) {
  EXPECT_TRUE(path_fits("/jobs/*", "/jobs/1", PathEnd::kThere));
  EXPECT_TRUE(path_fits("jobs/*", "/jobs/1", PathEnd::kThere));
  EXPECT_FALSE(path_fits("/jobs/*", "/jobs", PathEnd::kThere));
  EXPECT_FALSE(path_fits("/jobs/*", "/jobs/1/x", PathEnd::kThere));
  EXPECT_TRUE(path_fits("/jobs/*", "/jobs/1/x", PathEnd::kAnywhere));
}

}  // namespace
}  // namespace akr
