// soonest_end.hpp - after several limited keys the client is told when the first of them is back, not when the one that
// happened to be asked last is (behaviour.md D06).
#pragma once

#include "proxy/attempt/attempt.hpp"

namespace akr {

// Sets last.retry_in if some key of the service that was asked, or of its fallbacks, may be used sooner than the
// answer's own hint says, or if the answer has none.  Only for limits, and not for requests that are bound to one key.
void name_soonest_end(const RequestContext& ctx, Attempt& last, TimePoint now);

}  // namespace akr
