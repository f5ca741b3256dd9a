// failure.hpp - what an upstream's answer says went wrong, in words that no provider owns: found by llm/, judged by
// core/outcome.
#pragma once

#include <cstdint>

namespace akr {

enum class FailureKind : std::uint8_t {
  kUnknown,           // only the status speaks
  kRequest,           // the request is wrong: no key would help
  kCredential,        // the key is not valid
  kSuspended,         // the account or key was disabled by the provider
  kRateLimit,         // per minute or second
  kQuota,             // used up; comes back by itself or by payment
  kDailyQuota,        // used up until the provider's midnight
  kMonthlyQuota,      // spend limit: until the first of next month, or the date the provider named
  kPermission,        // this key may not do this (model, endpoint)
  kModelUnavailable,  // this key has no such model
  kOverloaded,        // the provider is; nobody's fault
  kRegion,            // our exit address is refused: no key will help
  kTooLargeForKey,    // never fits this key's limit
  kAddressRefused,    // this account does not accept our exit address; another account may
};

// Who says how long a wait is.  A provider's hint is believed; a length of our own is a guess that escalates, that the
// only key of a pool is spared, and that the outage guard takes back.
enum class WaitSource : std::uint8_t {
  kProvider,  // the answer names a time, or the limit that has one: a day's quota, a month's
  kOperator,  // a failure rule does
  kDefault,   // we do
};

}  // namespace akr
