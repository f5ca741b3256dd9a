// pins.hpp - requests that name something which lives in one provider account go out with the key that made it
// (behaviour.md D23): finds the pin before the attempts, and learns pins from answers on their way down.
//
// What makes a pin is known by the provider (llm/resources.hpp) and by the service's affinity_rules.  Websockets need
// nothing more: one connection is one key.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "core/keys/key_pool.hpp"
#include "core/pins/pin_table.hpp"
#include "proxy/answer/answer_watcher.hpp"
#include "proxy/request/prepare.hpp"
#include "proxy/request_context.hpp"

namespace akr {

struct Attempt;

struct PinSettings {
  PinTable* table = nullptr;  // nullptr: nothing is pinned.  Outlives all requests; shared by all workers
  const Clock* clock = &system_clock();
};

// Is the body short and plain enough for find_pin()?  If not, find_pin_in_turns() does the same, and stands back behind
// the worker's other requests between two pieces of it: kClientGone, kShuttingDown.
bool is_read_at_once(const net::MessageHead& head, const PreparedRequest& request);

// REQUIRES of find_pin(): is_read_at_once().
//
// Fills ctx.pinned from the path and the JSON body, or else from the values of the query if they agree, and
// ctx.makes_resources, at_home, names_own, names_unread, named and, where the body tells it, model.  REQUIRES: route,
// grant and body are known, and the head is still there.  Of a body that is kept all is looked at, of one that is
// streamed up nothing. kPinnedKeyUnavailable: the request names things of different keys.  kNotFound: it names what
// another access key made, which the service does not share.  kBadRequest: it might, in what cannot be read.
Result<void> find_pin(RequestContext& ctx, const PreparedRequest& request, const PinSettings& pins);
net::Task<Result<void>> find_pin_in_turns(RequestContext& ctx, PreparedRequest& request, const PinSettings& pins);

// The pinned key, or another one of its account, for one attempt with `service`.  kPinnedKeyUnavailable: none may be
// used now, or it is not one of its.
Result<KeyLease> take_pinned_key(const PinnedKey& pinned, const RoutedService& service, const SelectRequest& wanted,
                                 TimePoint now);

// May the answer to this request name things by this rule?
bool concerns(const AffinityRule& rule, const RequestContext& ctx);

// What the provider's refusal of the pinned key means to the client.  A 401 must not look like the client's own, so it
// is told kPinnedKeyUnavailable; a 403 may be about the thing and not the key, and is relayed.
void explain_refusal(const Verdict& last, std::optional<Error>& error);

// Learns from a good answer that is about to go down: from its head now, from its body by what is returned.  nullptr:
// its body is of no interest.
std::unique_ptr<AnswerWatcher> watch_for_pins(const RequestContext& ctx, const Attempt& answered,
                                              const PinSettings& pins);

}  // namespace akr
