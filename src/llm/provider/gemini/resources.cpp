// Endpoints and members as in the official SDKs (tests/sdk/resources.test.mjs looks for new ones).
#include "llm/provider/gemini/resources.hpp"

namespace akr {
namespace {

constexpr std::string_view kNames[] = {
    "/name",
    "/file/name",  // of an upload
    "/files/*/name",
    "/cachedContents/*/name",
    "/tunedModels/*/name",
    "/operations/*/name",
    "/fileSearchStores/*/name",
    "/documents/*/name",
    // What a finished job made.
    "/response/name",
    "/response/documentName",
    "/response/responsesFile",
    "/metadata/output/responsesFile",
    "/metadata/tunedModel",
    "/response/generateVideoResponse/generatedSamples/*/video/uri",
};
constexpr std::string_view kInteractionIds[] = {
    "/id",
    "/interaction/id",
    "/interaction_id",
    "/environment_id",
    "/interaction/environment_id",
    "/agents/*/id",
    "/environments/*/id",
    "/triggers/*/id",
    "/voices/*/id",
    "/webhooks/*/id",
    "/credentials/*/id",
};

constexpr ResourceRule kRules[] = {
    // What is downloaded is the client's own, whatever it looks like.
    {"files/*:download", {}},
    {"files", kNames},
    {"files:register", kNames, {}, true},
    {"cachedContents", kNames},
    {"batches", kNames},
    {"operations", kNames},
    {"fileSearchStores", kNames},
    {"corpora", kNames},
    {"interactions", kInteractionIds},
    {"agents", kInteractionIds},
    {"environments", kInteractionIds},
    {"triggers", kInteractionIds},
    {"voices", kInteractionIds},
    {"webhooks", kInteractionIds},
    {"credentials", kInteractionIds},
    {"models/*:batchGenerateContent", kNames},
    {"models/*:asyncBatchEmbedContent", kNames},
    {"models/*:predictLongRunning", kNames},
    {"models/*/operations", kNames},
    // Answers of a tuned model name nothing.
    {"tunedModels/*:generateContent", {}},
    {"tunedModels/*:streamGenerateContent", {}},
    {"tunedModels", kNames},
};

constexpr std::string_view kMembers[] = {
    "cachedContent",
    "cached_content",
    "fileUri",
    "file_uri",
    "fileName",
    "file_name",
    "uri",  // of a video or of a part of an interaction
    "previous_interaction_id",
    "previousInteractionId",
    "agent",
    "base_agent",
    "environment",
    "environment_id",
    "base_environment",
    "credential",
    "credentials/id",
    "voice",
    "fileSearchStoreNames",
    "file_search_store_names",
    "tunedModelSource",
    "tunedModel",
    "model",  // a tuned one
};

constexpr std::string_view kDerived[] = {
    "/response/name",          "/response/documentName",
    "/response/responsesFile", "/metadata/output/responsesFile",
    "/metadata/tunedModel",    "/response/generateVideoResponse/generatedSamples/*/video/uri",
};

constexpr std::string_view kLists[] = {
    "/files/*/name",      "/cachedContents/*/name",   "/tunedModels/*/name",
    "/operations/*/name", "/fileSearchStores/*/name", "/documents/*/name",
    "/agents/*/id",       "/environments/*/id",       "/triggers/*/id",
    "/voices/*/id",       "/webhooks/*/id",           "/credentials/*/id",
};

constexpr ResourceMap kMap = {.rules = kRules,
                              .members = kMembers,
                              .derived = kDerived,
                              .lists = kLists,
                              .keep_clue = R"("store")",
                              .url_field = "x-goog-upload-url",
                              .names = true};

}  // namespace

const ResourceMap& gemini_resources() { return kMap; }

}  // namespace akr
