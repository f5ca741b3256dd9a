#include "proxy/request/request_facts.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <simdjson.h>
#include <sodium.h>

namespace akr {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kLongestModel = 256;
constexpr std::size_t kLongestConversation = 1024;
constexpr std::size_t kUsualBody = 64 * 1024;  // bodies up to this are read with memory that stays

std::string_view text_of(ondemand::value value) {
  std::string_view text;
  if (value.get_string().get(text)) return {};
  return text;
}

// Fields that name a conversation: ours, and what agents send by themselves.  Claude Code: x-claude-code-session-id.
// Codex: session-id and thread-id, before that session_id and conversation_id.  OpenCode: x-session-affinity and
// x-opencode-session.
constexpr std::string_view kSessionFields[] = {
    "x-session-id", "x-claude-code-session-id", "session-id",         "session_id",
    "thread-id",    "conversation_id",          "x-session-affinity", "x-opencode-session"};

// Members that do, the most telling one in front.  A user may have many conversations.
enum Mark : std::uint8_t { kCacheKey, kUserIdSession, kClientSession, kUserId, kUser, kMarks };
constexpr std::array<std::string_view, kMarks> kMarkNames = {"prompt_cache_key", "metadata.user_id", "client_metadata",
                                                             "metadata.user_id", "user"};

struct Conversation {
  std::array<std::string, kMarks> named;
  // Its beginning, as it stands in the body: what providers cache, and what every turn repeats.
  std::string_view instructions, opening;
};

constexpr int kMostOpening = 4;  // messages before the user's first one, examples and the like

// From the first message to the first that a user wrote.  A plain text is the user's.
std::string_view opening_of(ondemand::value value) {
  ondemand::array messages;
  if (value.get_array().get(messages)) return text_of(value);
  std::string_view all;
  int count = 0;
  for (auto each : messages) {
    ondemand::object message;
    if (each.get_object().get(message)) return {};
    ondemand::value role;
    std::string_view who = "user";
    if (!message.find_field_unordered("role").get(role)) who = text_of(role);
    std::string_view text;
    if (message.raw_json().get(text)) return {};
    all = all.empty() ? text : std::string_view(all.data(), static_cast<std::size_t>(text.end() - all.begin()));
    if (who == "user" || ++count == kMostOpening) break;
  }
  return all;
}

std::string_view raw_text(ondemand::value value) {
  ondemand::json_type type{};
  std::string_view text;
  if (value.type().get(type)) return {};
  if (type == ondemand::json_type::string) return value.raw_json_token();
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (!value.get_array().get(array) && !array.raw_json().get(text)) return text;
  }
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (!value.get_object().get(object) && !object.raw_json().get(text)) return text;
  }
  return {};
}

void read_beginning(ondemand::field& field, Conversation& conversation) {
  const ondemand::raw_json_string name = field.key();
  for (const char* each : {"system", "instructions", "systemInstruction", "system_instruction"})
    if (name == each) conversation.instructions = raw_text(field.value());
  for (const char* each : {"messages", "input", "contents"})
    if (name == each) conversation.opening = opening_of(field.value());
}

// "" without an opening: instructions alone are many conversations'.
std::string hash_beginning(const Conversation& conversation) {
  if (conversation.opening.empty()) return {};
  crypto_generichash_state state;
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest;
  crypto_generichash_init(&state, nullptr, 0, digest.size());
  for (const std::string_view part : {conversation.instructions, std::string_view("\0", 1), conversation.opening})
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  crypto_generichash_final(&state, digest.data(), digest.size());
  return "beginning " + std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string_view member_of(ondemand::value value, std::initializer_list<std::string_view> names) {
  ondemand::object object;
  if (value.get_object().get(object)) return {};
  for (const std::string_view name : names) {
    ondemand::value found;
    if (object.find_field_unordered(name).get(found)) continue;
    if (const std::string_view text = text_of(found); !text.empty()) return text;
  }
  return {};
}

// Claude Code's metadata.user_id is "user_..._account_..._session_UUID", or a text that is JSON with a session_id.
std::string_view session_in(std::string_view user_id) {
  constexpr std::string_view kBehind = "_session_", kMember = R"("session_id")";
  if (const auto at = user_id.rfind(kBehind); at != std::string_view::npos) return user_id.substr(at + kBehind.size());
  const auto member = user_id.starts_with('{') ? user_id.find(kMember) : std::string_view::npos;
  if (member == std::string_view::npos) return {};
  const auto begin = user_id.find('"', member + kMember.size());
  const auto end = begin == std::string_view::npos ? begin : user_id.find('"', begin + 1);
  return end == std::string_view::npos ? std::string_view() : user_id.substr(begin + 1, end - begin - 1);
}

// False: nothing more is wanted.
bool take_member(ondemand::field field, bool with_conversation, BodyFacts& facts, Conversation& conversation) {
  const simdjson::ondemand::raw_json_string name = field.key();
  if (facts.model.empty() && name == "model") {
    facts.model = text_of(field.value());
    return with_conversation || facts.model.empty();
  }
  if (!with_conversation) return true;
  auto& named = conversation.named;
  if (name == "prompt_cache_key") named[kCacheKey] = text_of(field.value());
  if (name == "metadata") {
    named[kUserId] = member_of(field.value(), {"user_id"});
    named[kUserIdSession] = session_in(named[kUserId]);
  }
  if (name == "client_metadata") named[kClientSession] = member_of(field.value(), {"session_id", "thread_id"});
  if (name == "user") named[kUser] = text_of(field.value());
  read_beginning(field, conversation);
  return true;
}

void name_conversation(Conversation& conversation, BodyFacts& facts) {
  const auto mark = std::ranges::find_if(conversation.named, [](const std::string& value) { return !value.empty(); });
  if (mark != conversation.named.end()) {
    facts.conversation = std::move(*mark);
    facts.known_by = kMarkNames[static_cast<std::size_t>(mark - conversation.named.begin())];
    return;
  }
  facts.conversation = hash_beginning(conversation);
  if (!facts.conversation.empty()) facts.known_by = "beginning";
}

BodyFacts read_object(ondemand::parser& parser, simdjson::padded_string_view json, bool with_conversation) {
  BodyFacts facts;
  Conversation conversation;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(json).get(document) || document.get_object().get(object)) return facts;
  for (auto entry : object) {
    ondemand::field field;
    if (std::move(entry).get(field)) break;
    if (!take_member(field, with_conversation, facts, conversation)) break;
  }
  if (facts.model.size() > kLongestModel) facts.model.clear();
  if (with_conversation) name_conversation(conversation, facts);
  return facts;
}

const std::array<unsigned char, 32>& affinity_key() {
  static const std::array<unsigned char, 32> kKey = [] {
    std::array<unsigned char, 32> bytes;
    randombytes_buf(bytes.data(), bytes.size());
    return bytes;
  }();
  return kKey;
}

std::uint32_t estimate_tokens(std::uint64_t body_bytes) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(body_bytes / 4, 0xffff'ffff));
}

}  // namespace

BodyFacts read_body_facts(std::string_view body, bool with_conversation) {
  const auto begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || body[begin] != '{') return {};
  if (body.size() > kUsualBody) {
    ondemand::parser parser;
    return read_object(parser, simdjson::padded_string(body), with_conversation);
  }
  // simdjson reads up to SIMDJSON_PADDING bytes past the end, which the network's buffer may not have.
  thread_local ondemand::parser parser;
  thread_local std::string padded;
  if (padded.size() < body.size() + simdjson::SIMDJSON_PADDING) padded.resize(body.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(padded.data(), body.data(), body.size());
  std::memset(padded.data() + body.size(), 0, simdjson::SIMDJSON_PADDING);
  const simdjson::padded_string_view json(padded.data(), body.size(), padded.size());
  return read_object(parser, json, with_conversation);
}

std::uint64_t hash_affinity(std::string_view access_key, std::string_view conversation) {
  if (conversation.empty()) return 0;
  std::string text(access_key);
  text += '\0';
  text += conversation;
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest;
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     affinity_key().data(), affinity_key().size());
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash == 0 ? 1 : hash;
}

void read_request_facts(RequestContext& ctx, const PreparedRequest& request, const RoutedService& service) {
  const bool sticky = service.policy->keeps_affinity;
  const Provider* const provider = service.provider;
  if (provider == nullptr && !sticky) return;
  if (provider != nullptr) ctx.tokens = estimate_tokens(request.body.size());
  std::string conversation;
  std::string_view known_by;
  for (std::size_t i = 0; sticky && conversation.empty() && i < std::size(kSessionFields); ++i) {
    conversation = ctx.client.head().find(kSessionFields[i]);
    known_by = kSessionFields[i];
  }
  if (provider != nullptr) {
    const std::string_view in_path = provider->model_in(request.upstream.target);
    if (!in_path.empty()) ctx.model = in_path.substr(0, kLongestModel);
    const bool ask_model = ctx.model.empty() && provider->model.in_body;
    const bool ask_conversation = sticky && conversation.empty();
    if (ask_model || ask_conversation) {
      BodyFacts facts = read_body_facts(request.whole_text(), ask_conversation);
      if (ask_model) ctx.model = std::move(facts.model);
      if (ask_conversation) {
        conversation = std::move(facts.conversation);
        known_by = facts.known_by;
      }
    }
  }
  if (!conversation.empty()) ctx.trace.know_conversation_by(known_by);
  conversation.resize(std::min(conversation.size(), kLongestConversation));
  ctx.affinity = hash_affinity(ctx.grant.fingerprint, conversation);
}

}  // namespace akr
