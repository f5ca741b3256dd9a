// relay.hpp - an answer on its way down: bytes as they arrive, back-pressure both ways, a cut that shows.
#pragma once

#include "net/loop/task.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/request_context.hpp"

namespace akr {

struct RelaySettings {
  std::chrono::milliseconds sse_keepalive{15'000};  // 0 = off
};

// Sends what `attempt` holds to the client.  An error is returned only while nothing was sent; after that a failure is
// noted in the context (cut, detail) and the connection is marked broken.
net::Task<Result<void>> relay(RequestContext& ctx, Attempt& attempt, RelaySettings settings);

// Both ways until one side ends, after the upstream answered 101 to an upgrade the client asked for.
net::Task<Result<void>> relay_upgrade(RequestContext& ctx, Attempt& attempt);

}  // namespace akr
