// judge.hpp - carries facts from an exchange to core/outcome and back into words: the seam between net, llm and core.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/outcome/outcome.hpp"
#include "core/outcome/retry_policy.hpp"
#include "net/client/exchange.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// What an error answer says, in core's words: the provider's reading for LLM services, the head's hints for others.
// `words`, if given, gets the provider's message.
UpstreamFailure understand(const RequestContext& ctx, const net::MessageHead& answer, std::string_view body,
                           std::string* words = nullptr);

// What an answer came to.
struct Judgement {
  Verdict verdict;
  int status = 0;            // of the answer, or the one that its body means
  int rule = -1;             // index of the service's rule that decided; -1 = none did
  std::string message = {};  // the provider's words, not redacted; "" if there are none
};

// An answer with an error status.  The service's rules are asked first, then the provider (LLM) or the head's hints.
Judgement judge_error(const RequestContext& ctx, const net::MessageHead& answer, std::string_view body);

// A 2xx answer by its body: a rule that fits, or an LLM provider's error in disguise.  nullopt: it is good.
std::optional<Judgement> judge_success(const RequestContext& ctx, const net::MessageHead& answer,
                                       std::string_view body);

// The same for the first event of a 200 stream.
std::optional<Judgement> judge_event(const RequestContext& ctx, const net::MessageHead& answer,
                                     const SseEventView& event);

// When the provider's own counters say that nothing is left of one of them: the time until it is full again.
std::optional<Duration> nothing_left(const net::MessageHead& answer);

// A failure to connect.
void judge_connect(const Error& error, AttemptFacts& facts);

AttemptEnd end_of(net::ExchangeEnd end);

// The error for an exchange without an answer; names the timer that fired and its value.
Error describe_exchange(const RequestContext& ctx, const net::ExchangeResult& result);

// kCredentialsExhausted if the last key that was tried was refused as a credential (D06 b): the client did nothing
// wrong, so it must not see a 401 of ours as its own.  nullopt: relay the answer.
std::optional<Error> refused_credentials(const RequestContext& ctx, const AttemptFacts& last, std::string_view body);

}  // namespace akr
