// Endpoints and members as in the public OpenAPI description of the OpenAI API and in the official SDKs
// (tests/sdk/resources.test.mjs looks for new ones); other providers that copy it have a part of them.
#include "llm/provider/openai/resources.hpp"

namespace akr {
namespace {

constexpr std::string_view kIds[] = {
    "/id",
    "/data/*/id",  // a list holds what this key's account holds
    "/file/id",    // of an upload that was completed
    "/input_file_id",
    "/output_file_id",
    "/error_file_id",
    "/data/*/output_file_id",
    "/data/*/error_file_id",
    "/result_files/*",
    "/fine_tuned_model",
    "/session/id",  // realtime client secrets
    "/thread_id",
    "/session_id",
    "/environment_id",
    "/environment/id",
};
constexpr std::string_view kAnswerIds[] = {
    "/id",
    "/data/*/id",
    "/output/*/id",  // items are asked for by reference
    "/output/*/container_id",
    "/conversation/id",
    // In the events of a stream:
    "/response/id",
    "/response/conversation/id",
    "/item/id",
    "/item/container_id",
};
constexpr std::string_view kChatIds[] = {"/id", "/choices/*/message/audio/id", "/choices/*/delta/audio/id"};

// The answer of an ordinary chat completion is kept nowhere.  Without the colon: a space may stand before it.
constexpr std::string_view kChatClues[] = {R"("store")", R"("modalities")"};

constexpr ResourceRule kRules[] = {
    {"chat/completions", kChatIds, kChatClues},
    {"responses", kAnswerIds},
    // What is downloaded is the client's own, whatever it looks like.
    {"files/*/content", {}},
    {"containers/*/files/*/content", {}},
    {"videos/*/content", {}},
    {"skills/*/content", {}},
    {"files", kIds},
    {"batches", kIds},
    {"uploads", kIds},
    {"fine_tuning", kIds},
    {"conversations/*/items", kIds, {}, true},
    {"conversations", kIds},
    {"vector_stores", kIds},
    {"assistants", kIds},
    {"threads", kIds},
    {"containers", kIds},
    {"evals", kIds},
    {"videos", kIds},
    {"realtime", kIds},
    {"skills", kIds},
    {"chatkit", kIds},
    {"agents", kIds},
    {"vaults", kIds},
    {"live", kIds},
    {"audio/voices", kIds},
    {"audio/voice_consents", kIds},
    {"webhook_endpoints", kIds},
    {"safety", kIds},
    // Of keys that administrate.
    {"organization", kIds},
    {"projects", kIds},
};

constexpr std::string_view kMembers[] = {
    "previous_response_id",
    "conversation",
    "conversation/id",
    "file_id",
    "file_ids",
    "input_file_id",
    "training_file",
    "validation_file",
    "vector_store_id",
    "vector_store_ids",
    "container",
    "container_id",
    "assistant_id",
    "thread_id",
    "response_id",
    "batch_id",
    "eval_id",
    "skill_id",
    "part_ids",
    "audio/id",
    "video/id",
    "characters/id",
    "voice",  // one that was made
    "voice/id",
    "consent",
    "agent_id",
    "session_id",
    "environment_id",
    "environment_template_id",
    "vault_id",
    "vault_ids",
    "credential_id",
    "model",  // a fine-tuned one
};

constexpr std::string_view kDerived[] = {"/output_file_id",   "/error_file_id", "/result_files/*",
                                         "/fine_tuned_model", "/session_id",    "/environment/id"};

constexpr std::string_view kLists[] = {"/data/*/id", "/data/*/output_file_id", "/data/*/error_file_id"};
// Not containers/*/files and images/edits, which take the id of a file in its place.
constexpr std::string_view kUploads[] = {
    "files",
    "uploads/*/parts",
    "audio/transcriptions",
    "audio/translations",
    "images/variations",
    "content_provenance_checks",
    // Azure's older paths.
    "openai/files",
    "openai/deployments/*/audio/transcriptions",
    "openai/deployments/*/audio/translations",
};

// Of responses and of conversations.  What a client sends with all that was said is said whole; reasoning, images and
// calls of the provider's own tools are looked up by it.
constexpr std::string_view kItemLists[] = {"input", "items"};
constexpr std::string_view kWholeItems[] = {"message", "function_call", "function_call_output", "custom_tool_call",
                                            "custom_tool_call_output"};

constexpr ResourceMap kMap = {.rules = kRules,
                              .members = kMembers,
                              .derived = kDerived,
                              .lists = kLists,
                              .uploads = kUploads,
                              .item_lists = kItemLists,
                              .whole_items = kWholeItems,
                              .keep_clue = R"("store")",
                              .reference_type = "item_reference",
                              .url_field = "location"};

}  // namespace

const ResourceMap& openai_resources() { return kMap; }

}  // namespace akr
