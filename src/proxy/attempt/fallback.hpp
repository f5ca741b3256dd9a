// fallback.hpp - other services in place of one that is exhausted: the order, when to move on, what is left to tell.
//
// A service is exhausted when none of its keys may be used, or when its attempts ran out on failures that another try
// could have helped.  Then the fallbacks of the service that was asked take the request, in its order, each with its
// own keys, URLs, rules and limits; theirs are not followed.  Time is the asked service's: no attempt starts after its
// retry budget, and its total timeout stays.
#pragma once

#include <memory>
#include <optional>

#include "core/outcome/retry_policy.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/attempt/target.hpp"
#include "proxy/request/prepare.hpp"

namespace akr {

// The services that one request goes through.  Lives as long as Attempts::run().
class Fallbacks {
 public:
  Fallbacks(RequestContext& ctx, const PreparedRequest& request)
      : ctx_(ctx), request_(request), target_{.service = &ctx.asked(), .speaks = ctx.served.speaks} {}

  // A request that is bound to a key of a fallback starts there, if that one takes its method.
  void start();

  // The one that is tried now.
  Target& target() { return target_; }

  // Is there, or was there, another service for this request?  Never for one that is bound to a key.
  bool any() const { return !ctx_.pinned && (moved() || find_next() != ctx_.asked().fallbacks.size()); }

  // Of the service that is tried now.
  RetryBudget budget() const;

  // `last` is what the service that was tried came to.  True: it is exhausted and another one is tried from now on;
  // `last` is empty then.
  bool move_on(const RetryBudget& spent, Attempt& last, TimePoint now);

  // Nothing is left to try.  If all failed, `last` becomes the last answer that an upstream gave, or else the asked
  // service's error, with the soonest Retry-After of all.
  void settle(Attempt& last);

 private:
  struct Failed {
    Error error;
    ServedBy by;
  };
  bool moved() const { return target_.service != &ctx_.asked(); }
  void go_to(const RoutedService& fallback, TimePoint now);
  std::size_t find_next() const;
  void keep(Attempt&& last);
  void note(const Attempt& failed);

  RequestContext& ctx_;
  const PreparedRequest& request_;
  Target target_;
  std::size_t next_ = 0;               // in asked().fallbacks
  std::unique_ptr<Attempt> answered_;  // an upstream's own words, in case nobody does better
  std::optional<Failed> first_;        // the asked service's error, if nobody answered at all
  int soonest_ = 0;                    // seconds; 0 = nobody said
};

}  // namespace akr
