// judge.hpp - carries facts from an exchange to core/outcome and back into words: the seam between net, llm and core.
#pragma once

#include <optional>
#include <string_view>

#include "core/outcome.hpp"
#include "core/retry_policy.hpp"
#include "net/exchange.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// What an error answer says, in core's words: the format's reading for LLM services, the head's hints for others.
UpstreamFailure understand(const RequestContext& ctx, const net::MessageHead& answer, std::string_view body);

// A failure to connect.
void judge_connect(const Error& error, AttemptFacts& facts);

AttemptEnd end_of(net::ExchangeEnd end);

// The error for an exchange without an answer; names the timer that fired and its value.
Error describe_exchange(const RequestContext& ctx, const net::ExchangeResult& result);

// kCredentialsExhausted if the last key that was tried was refused as a credential (D06 b): the client did nothing
// wrong, so it must not see a 401 of ours as its own.  nullopt: relay the answer.
std::optional<Error> refused_credentials(const RequestContext& ctx, const AttemptFacts& last, std::string_view body);

}  // namespace akr
