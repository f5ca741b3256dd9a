// fallback.hpp - other services in place of one that is exhausted: the order, when to move on, what is left to tell.
//
// A service is exhausted when none of its keys may be used, or when its attempts ran out on failures that another try
// could have helped.  Then the fallbacks of the service that was asked take the request, in its order, each with its
// own keys, URLs, rules and limits; theirs are not followed.  Time is the asked service's: no attempt starts after its
// retry budget, and its total timeout stays.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/outcome/retry_policy.hpp"
#include "proxy/attempt/attempts.hpp"

namespace akr {

// The services that one request goes through.  Lives as long as Attempts::run().
class Fallbacks {
 public:
  Fallbacks(RequestContext& ctx, const PreparedRequest& request) : ctx_(ctx), request_(request) {}

  // A request that is bound to a key of a fallback starts there, if that one takes its method.
  void start();

  // Is there, or was there, another service for this request?  Never for one that is bound to a key.
  bool any() const {
    return !ctx_.pinned && (ctx_.stand_in != nullptr || find_next() != ctx_.asked().fallbacks.size());
  }

  // Of the service that serves now.
  RetryBudget budget() const;

  // `last` is what the service that served came to.  True: it is exhausted and another one serves from now on; `last`
  // is empty then.
  bool move_on(const RetryBudget& spent, Attempt& last, TimePoint now);

  // Nothing is left to try.  If all failed, `last` becomes the last answer that an upstream gave, or else the asked
  // service's error, with the soonest Retry-After of all; and the context tells whose it is.
  void settle(Attempt& last);

 private:
  struct Answered {
    Attempt attempt;
    const RoutedService* stand_in;
    const UpstreamUrl* upstream;
  };
  // What the context said about the last attempt of a service.
  struct Tried {
    const UpstreamUrl* upstream = nullptr;
    std::string key = {};  // fingerprint
    std::string_view outcome = {};
  };
  std::size_t find_next() const;
  void keep(Attempt&& last);
  void note(const Error& error);

  RequestContext& ctx_;
  const PreparedRequest& request_;
  std::size_t next_ = 0;                // in asked().fallbacks
  std::unique_ptr<Answered> answered_;  // an upstream's own words, in case nobody does better
  std::optional<Error> first_error_;    // the asked service's, if nobody answered at all
  Tried first_tried_;                   // belongs to it
  int soonest_ = 0;                     // seconds; 0 = nobody said
};

}  // namespace akr
