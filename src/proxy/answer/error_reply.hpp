// error_reply.hpp - our own errors: a status (base/error_table.hpp) and a body in the client's own dialect.
#pragma once

#include <string>

#include "base/error.hpp"
#include "llm/dialect.hpp"
#include "net/loop/task.hpp"
#include "proxy/request_context.hpp"

namespace akr {

int status_of(ErrorCode code);

// Notes the error in the context and answers the client; does nothing if a head already left, and sends nothing to a
// client that is gone (499 in the log).
net::Task<void> reply_with_error(RequestContext& ctx, Error error);

// The body alone, for requests that have no context (a head that could not be parsed), with the message as it is.
// `dialect` nullptr = REST.
std::string error_body(const Dialect* dialect, const Error& error, std::string_view request_id);

// The dialect of a client whose service is unknown, guessed from its path and fields; nullptr = REST.
const Dialect* guess_dialect(const net::MessageHead& head);

// The last event of a stream that cannot go on, in the client's dialect.  REQUIRES: ctx.client_speaks.
std::string stream_error_event(const RequestContext& ctx);

}  // namespace akr
