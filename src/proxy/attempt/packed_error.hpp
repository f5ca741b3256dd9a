// packed_error.hpp - error answers whose body is compressed: nobody sees what is in them without unpacking (D07).
//
// Such a body waits until it is complete, then one of three goes down, under the upstream's status:
//   - the bytes as they came, if the key is not in them, packed or unpacked;
//   - the unpacked text with the key masked, under a head that says so;
//   - a sentence of ours, if the body cannot be looked into: too large packed or unpacked (COMPRESSED_ERROR_LIMIT),
//     damaged, cut, or in a coding that we do not know.
#pragma once

#include "net/loop/task.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/request_context.hpp"

namespace akr {

bool is_packed_error(const Attempt& attempt);

// REQUIRES: is_packed_error().  Waits as long as the service's stream_idle between two pieces, and its total timeout.
// kClientGone or kShuttingDown if nobody is there to be answered.  `most`: bytes, packed and unpacked.
net::Task<Result<void>> look_into_packed_error(RequestContext& ctx, Attempt& attempt, std::size_t most);

}  // namespace akr
