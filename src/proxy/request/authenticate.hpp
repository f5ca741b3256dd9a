// authenticate.hpp - who asks?  Finds the access key in every place where a stock SDK puts it (D29).
//
//   X-Proxy-Key, Authorization: Bearer, x-api-key, x-anthropic-api-key, api-key, x-goog-api-key, ?key=
//
// All places that are filled must hold the same key: two credentials that disagree are refused (kAccessKeyConflict),
// never "first wins" (reliability.md E-05).  For generic services `?key=` beside a header counts only if it is one of
// our keys: otherwise the parameter is the service's own business.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "core/service/service.hpp"
#include "net/http/http1.hpp"
#include "proxy/request/access_keys.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// kAccessKeyMissing (the message names the places), kAccessKeyInvalid, kAccessKeyConflict.
Result<AccessGrant> authenticate(const net::MessageHead& head, std::string_view query, ServiceType type,
                                 const AccessKeys& keys);

// An access key that came in the JSON body's member `api_key` (services with accept_body_key).
Result<AccessGrant> authenticate_body_key(std::string_view presented, const AccessKeys& keys);

}  // namespace akr
