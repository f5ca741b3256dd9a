// attempt_error.hpp - what a client is told about attempts that brought no answer, or none that it may see.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "core/outcome/retry_policy.hpp"
#include "net/client/exchange.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// The error for an exchange without an answer; names the timer that fired and its value.
Error describe_exchange(const RequestContext& ctx, const Service& service, const net::ExchangeResult& result);

// kCredentialsExhausted if the last key that was tried was refused as a credential (D06 b): the client did nothing
// wrong, so it must not see a 401 of ours as its own.  nullopt: relay the answer.
std::optional<Error> refused_credentials(const ServedBy& by, const AttemptFacts& last, std::string_view body);

}  // namespace akr
