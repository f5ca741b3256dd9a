// error_detail.hpp - an error in words that no provider owns: what a dialect's parse_error() finds and build_error()
// is given.  Plain values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace akr {

// What a provider said.  Same enumerators, same order as core's FailureKind (proxy/attempt/attempts carries one to the
// other; tests/integration/outcome_table_test.cpp compares the two lists).
enum class ErrorKind {
  kUnknown,           // only the status speaks
  kRequest,           // the request is wrong: no key would help
  kCredential,        // the key is not valid
  kSuspended,         // the account or project was disabled by the provider
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

struct HeaderView {
  std::string_view name;  // any letter case
  std::string_view value;
};

// A provider's answer to be understood.  `now` turns dates into durations.
struct ErrorAnswer {
  int status = 0;
  std::span<const HeaderView> headers = {};
  std::string_view body = {};  // decoded; may be cut off or not JSON at all; the first 64 KiB are looked at
  WallTime now{};
};

struct ErrorDetail {
  int status = 0;  // parse: of the answer, or the one the body means when it came with a 200
  ErrorKind kind = ErrorKind::kUnknown;
  std::string_view code = {};  // static storage.  parse: the provider's own code if we know it, else "".  build: ours
  std::string message = {};    // parse: the provider's text, at most 2 KiB, not redacted.  build: one sentence
  std::optional<Duration> retry_after = std::nullopt;  // parse: the hint, unclamped.  build: for Gemini's RetryInfo
  std::string_view request_id = {};                    // build only; "" = left out
};

}  // namespace akr
