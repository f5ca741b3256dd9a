// error.hpp - an expected failure: a code, and one sentence for the person who has to act on it.
//
// A message never holds a secret; it may hold names, addresses and limits.  It is a sentence without a capital and a
// full stop; for_people() completes it.  What else belongs to a code stands in one table: error_table.hpp.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace akr {

enum class ErrorCode {
  // The client's request.
  kBadRequest,            // not valid HTTP, or a part of it that we cannot accept
  kAccessKeyMissing,      // no access key in any of the accepted places
  kAccessKeyInvalid,      // an access key that we do not know
  kAccessKeyConflict,     // two credentials that disagree
  kServiceNotFound,       // unknown or disabled slug
  kMethodNotAllowed,      // see Error::allow
  kPathRefused,           // a path that would leave the service's base path
  kHeadTooLarge,          // 64 KiB or 128 fields
  kBodyTooLarge,          // over max_body
  kExpectationFailed,     // an Expect we do not know
  kRequestTimeout,        // the client was too slow
  kClientGone,            // the client left; nobody reads the answer
  kUnsupportedMediaType,  // admin: not JSON
  // Keys.
  kNoKeysConfigured,      // no enabled key in the pool
  kAllKeysCooling,        // see Error::retry_after
  kCredentialsExhausted,  // every key we tried was refused with 401, 402 or 403
  kPinnedKeyUnavailable,  // what the request names lives in the account of a key that cannot be used; see retry_after
  // The upstream.
  kUpstreamUnresolved,      // DNS
  kUpstreamConnect,         // refused, unreachable
  kUpstreamConnectTimeout,  // the connect timer fired
  kUpstreamTls,             // handshake or certificate
  kUpstreamRefused,         // an address that our policy forbids (SSRF)
  kEgressProxy,             // the outbound proxy failed
  kUpstreamTimeout,         // first_byte or total, before the head
  kUpstreamProtocol,        // an answer that is not valid HTTP
  kUpstreamClosed,          // connection closed before a complete head
  kUpstreamInterrupted,     // cut after the head had been sent down
  // The gateway itself.
  kOverloaded,
  kShuttingDown,
  kLocked,       // the encryption key does not fit the database
  kUnsupported,  // this build lacks it
  kInternal,
  // Store and admin.
  kInvalid,   // a value that validation refused; see Error::field
  kConflict,  // a unique value that is taken
  kNotFound,
  kUnauthorized,        // no or bad admin session
  kOriginRejected,      // a session cookie from somebody else's page
  kPreconditionFailed,  // changed since it was read
  kTooManyRequests,     // see Error::retry_after
  kStoreUnavailable,    // disk full, read-only, locked, server out of reach: may pass
  kStoreRefused,        // wrong password, no such database, no right to write: only a person mends it
};

// Stable lower-case name, as in logs, metrics and bodies ("upstream_timeout").
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;     // no secret
  std::string field = {};  // kInvalid: the JSON member or setting that is wrong
  std::string allow = {};  // kMethodNotAllowed: value of the Allow header
  int retry_after = 0;     // seconds; 0 = no hint
};

}  // namespace akr
