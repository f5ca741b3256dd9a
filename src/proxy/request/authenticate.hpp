// authenticate.hpp - who asks?  Finds the access key in every place where a stock client puts it (D29).
//
//   X-Proxy-Key, Authorization: Bearer, x-api-key, x-anthropic-api-key, api-key, x-goog-api-key, ?key=,
//   the websocket subprotocol openai-insecure-api-key.KEY,
//   and for a GENERIC service where its own key stands: that header (behind its prefix) or query parameter.
//
// All places are looked at.  One access key lets the request in, whatever else stands beside it: stock clients send
// stale and foreign credentials.  Two different access keys are refused (kAccessKeyConflict), never "first wins".
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "core/service/service.hpp"
#include "net/http/http1.hpp"
#include "proxy/request/access_keys.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// kAccessKeyMissing (the message names the places), kAccessKeyInvalid, kAccessKeyConflict; kBadRequest for one
// who is known, whose Sec-WebSocket-Protocol could carry a key past us (subprotocols.hpp).  What must not travel on is
// told in `grant` also then: the key may still come in the body.
Result<void> authenticate(const net::MessageHead& head, std::string_view query, const Service& service,
                          const AccessKeys& keys, AccessGrant& grant);

// The fingerprint of the access key that came in the JSON body's member `api_key` (services with accept_body_key).
Result<std::string_view> authenticate_body_key(std::string_view presented, const AccessKeys& keys);

}  // namespace akr
