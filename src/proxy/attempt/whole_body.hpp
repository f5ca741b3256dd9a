// whole_body.hpp - answers that wait until all of their body is here, because another one may take its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/loop/task.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// How the wait for the rest of the body ended.
enum class Came : std::uint8_t { kWhole, kTooLarge, kCut, kLate, kClientGone, kCancelled };

// Holds the body in attempt.held, of at most `most` bytes.  Waits as long as the service's stream_idle between two
// pieces, and its total timeout.  What was held until then goes down first if the answer is relayed all the same.
net::Task<Came> hold_all(RequestContext& ctx, Attempt& attempt, std::size_t most);

// kClientGone or kShuttingDown, if that is how it ended.
std::optional<Error> nobody_to_answer(Came came);

// Puts `body` in the place of the upstream's; `type` is its Content-Type, "" = the upstream's.  Static storage.
void take_the_place(Attempt& attempt, std::string body, std::string_view type);

}  // namespace akr
