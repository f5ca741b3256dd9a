// request_facts.hpp - what a request says that decides which key serves it: its model and its conversation.
#pragma once

#include <string>

#include "proxy/request/prepare.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// Fills ctx.model, ctx.affinity and, for LLM services, ctx.tokens: four bytes of the body for a token, which is high
// for text in JSON and far too high for images; the answer's own count replaces it.  The model comes from the path
// or the JSON body, where the provider has it; the conversation, only asked for under the policy `sticky`, is named by
// the first of: X-Session-Id, the fields by which agents name their session, the members that do (D22); it is hashed
// together with the access key, so that two clients cannot meet by accident or on purpose.  ctx.trace learns which mark
// it was.  Services that are not LLM have no model.  Never fails: what
// cannot be read is unknown.
// `service`: the one that is tried next.
void read_request_facts(RequestContext& ctx, const PreparedRequest& request, const RoutedService& service);

struct BodyFacts {
  std::string model;
  std::string conversation;
  std::string_view known_by = {};  // the member that named it, or "beginning"; static storage
};
// Of a JSON object; `conversation` is looked for only if asked.
BodyFacts read_body_facts(std::string_view body, bool with_conversation);

// Never 0 for a value that is not empty.
std::uint64_t hash_affinity(std::string_view access_key, std::string_view conversation);

}  // namespace akr
