// look.hpp - looks at answers before any of their bytes goes down: the bodies of errors, good answers that are none,
// the beginning of a stream up to its first content.
#pragma once

#include <cstdint>

#include "net/loop/task.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// What of an answer tells whether it is good.
enum class Look : std::uint8_t {
  kNone,       // its head is enough
  kBeginning,  // of an error, or for the service's rules
  kStream,     // its events, up to the first content
  kJson,       // a short one may be an error, whatever its status
  kRuledJson,  // the same, and the service has rules for it
};

Look look_wanted(const RequestContext& ctx, const Attempt& attempt);

// Judges the answer that `attempt` has the head of, by as much of its body as that takes and as the bounds allow (64
// KiB; 1 s for an error, else as long as a client may wait for a stream's head); what was read waits in attempt.held.
// Ends in attempt.accept(), settle() or fail().
net::Task<void> judge_answer(RequestContext& ctx, Attempt& attempt, Look look);

}  // namespace akr
