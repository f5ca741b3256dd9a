// login_throttle.hpp - how often a client may guess: 5 failures in 15 minutes per address, whatever user names it
// tries; so also per address and user.  An admin at another address is not locked out.
//
// Thread-safe.  An attempt counts as failed from its start, so that parallel guesses do not slip through; a success
// takes the address's failures back.  IPv6 counts by /64.  At most 10,000 addresses are kept, the oldest leave first.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"

namespace akr {

class LoginThrottle {
 public:
  // kTooManyRequests with Error::retry_after, or the attempt is counted.
  Result<void> begin_attempt(std::string_view client_ip, TimePoint now);
  void succeeded(std::string_view client_ip);

  std::size_t size();  // addresses kept

 private:
  struct Window {
    std::string address;
    TimePoint started;
    int failures = 0;
  };
  using Windows = std::list<Window>;  // oldest first
  void forget_expired(TimePoint now) REQUIRES_LOCK(mutex_);

  Mutex mutex_;
  Windows windows_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Windows::iterator> by_address_ GUARDED_BY(mutex_);
};

}  // namespace akr
