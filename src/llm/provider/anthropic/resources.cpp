#include "llm/provider/anthropic/resources.hpp"

namespace akr {
namespace {

constexpr std::string_view kIds[] = {"/id", "/data/*/id"};
// The container of the code execution tool: in an answer, and in a stream's first and last event.
constexpr std::string_view kMessageIds[] = {"/container/id", "/message/container/id", "/delta/container/id"};
constexpr std::string_view kMessageClues[] = {R"("code_execution)", R"("container")"};

constexpr ResourceRule kRules[] = {
    {"messages/batches", kIds},
    {"messages/count_tokens", {}},
    {"messages", kMessageIds, kMessageClues},
    {"files", kIds},
    {"skills", kIds},
    {"agents", kIds},
    {"sessions", kIds},
    {"environments", kIds},
    {"vaults", kIds},
};

constexpr std::string_view kMembers[] = {"file_id",  "container",      "container/id", "skill_id",
                                         "agent_id", "environment_id", "session_id",   "vault_ids"};

constexpr ResourceMap kMap = {.rules = kRules, .members = kMembers};

}  // namespace

const ResourceMap& anthropic_resources() { return kMap; }

}  // namespace akr
