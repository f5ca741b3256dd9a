// Endpoints and members as in the official SDKs (tests/sdk/resources.test.mjs looks for new ones).
#include "llm/provider/anthropic/resources.hpp"

namespace akr {
namespace {

constexpr std::string_view kIds[] = {
    "/id",
    "/data/*/id",
    // What a thing holds or made, told by itself.
    "/session_id",
    "/memory_version_id",
    "/outputs/*/memory_store_id",
};
// The container of the code execution tool: in an answer, and in a stream's first and last event; and what it wrote.
constexpr std::string_view kMessageIds[] = {
    "/container/id",
    "/message/container/id",
    "/delta/container/id",
    "/content/*/content/content/*/file_id",
    "/content_block/content/content/*/file_id",
};
constexpr std::string_view kMessageClues[] = {R"("code_execution)", R"("container")"};

constexpr ResourceRule kRules[] = {
    // What is downloaded is the client's own, whatever it looks like.
    {"messages/batches/*/results", {}},
    {"files/*/content", {}},
    {"messages/batches", kIds},
    {"messages/count_tokens", {}},
    {"messages", kMessageIds, kMessageClues},
    {"files", kIds},
    {"skills", kIds},
    {"agents", kIds},
    {"sessions", kIds},
    {"environments", kIds},
    {"vaults", kIds},
    {"memory_stores", kIds},
    {"user_profiles", kIds},
    {"deployments", kIds},
    {"deployment_runs", kIds},
    {"dreams", kIds},
    {"tunnels", kIds},
    // Of keys that administrate.
    {"organizations", kIds},
    {"compliance", kIds},
};

constexpr std::string_view kMembers[] = {
    "file_id",   "container",         "container/id",         "skill_id",        "agent",      "agent/id",
    "agent_id",
    "agents",  // that work together
    "agents/id", "predefined_agents", "predefined_agents/id", "environment_id",  "session_id", "session_ids",
    "vault_id",  "vault_ids",         "credential_id",        "memory_store_id", "memory_id",  "deployment_id",
    "tunnel_id", "user_profile_id",
};
// Who is billed; the SDKs make it of the member of the same name.
constexpr std::string_view kFields[] = {"anthropic-user-profile-id"};

constexpr std::string_view kDerived[] = {"/session_id", "/outputs/*/memory_store_id"};

constexpr std::string_view kLists[] = {"/data/*/id"};
constexpr std::string_view kUploads[] = {"files"};

constexpr ResourceMap kMap = {.rules = kRules,
                              .members = kMembers,
                              .derived = kDerived,
                              .lists = kLists,
                              .uploads = kUploads,
                              .request_fields = kFields};

}  // namespace

const ResourceMap& anthropic_resources() { return kMap; }

}  // namespace akr
