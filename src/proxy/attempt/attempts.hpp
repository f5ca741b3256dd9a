// attempts.hpp - tries keys, URLs and fallback services until one answers or the budget is spent.  Never sends anything
// downstream, so "no retry after the first byte" is a property of the call structure.
#pragma once

#include "net/loop/task.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/attempt/target.hpp"
#include "proxy/request/prepare.hpp"
#include "proxy/request_context.hpp"
#include "upstream/call.hpp"

namespace akr {

struct AttemptSettings {
  std::chrono::milliseconds send_timeout{60'000};
  int most_interim = 100'000;  // 1xx answers before the real one
};

class Attempts {
 public:
  // `caller` outlives it.
  Attempts(Caller& caller, AttemptSettings settings);
  // Leaves in `last`, an empty one, the answer to relay or the error to tell: the last real answer if keys or attempts
  // ran out, or kNoKeysConfigured, kAllKeysCooling, kCredentialsExhausted, kUpstream*, kClientGone.  Whose it is stands
  // in ctx.served.  A request that is pinned (ctx.pinned) uses that key, or its account, only: kPinnedKeyUnavailable if
  // it may not be used or the provider refuses it.
  net::Task<void> run(RequestContext& ctx, PreparedRequest& request, Attempt& last);

 private:
  // Which key is next.
  Result<KeyLease> take_key(RequestContext& ctx, const Target& target, RetryAdvice advice) const;
  Result<KeyLease> keep_key(const RequestContext& ctx, const Target& target, Attempt& last, Error refused) const;
  bool worth_waiting(const RequestContext& ctx, const Target& target, const Error& refused) const;
  net::Task<Result<KeyLease>> wait_for_key(RequestContext& ctx, const Target& target, Error refused);
  // One attempt.
  void begin(RequestContext& ctx, Target& target, KeyLease lease, Attempt& attempt) const;
  net::Task<void> send(RequestContext& ctx, PreparedRequest& request, Attempt& attempt);
  void end(RequestContext& ctx, const PreparedRequest& request, Target& target, Attempt& attempt) const;

  net::Worker& worker_;
  Caller& caller_;
  const AttemptSettings settings_;
  int waiting_ = 0;  // requests that wait for a key
};

}  // namespace akr
