#include "base/error.hpp"

namespace akr {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
      return "bad_request";
    case ErrorCode::kAccessKeyMissing:
      return "invalid_proxy_key";
    case ErrorCode::kAccessKeyInvalid:
      return "invalid_proxy_key";
    case ErrorCode::kAccessKeyConflict:
      return "conflicting_credentials";
    case ErrorCode::kServiceNotFound:
      return "service_not_found";
    case ErrorCode::kMethodNotAllowed:
      return "method_not_allowed";
    case ErrorCode::kPathRefused:
      return "path_refused";
    case ErrorCode::kHeadTooLarge:
      return "head_too_large";
    case ErrorCode::kBodyTooLarge:
      return "body_too_large";
    case ErrorCode::kExpectationFailed:
      return "expectation_failed";
    case ErrorCode::kRequestTimeout:
      return "request_timeout";
    case ErrorCode::kClientGone:
      return "client_gone";
    case ErrorCode::kLengthRequired:
      return "length_required";
    case ErrorCode::kUnsupportedMediaType:
      return "unsupported_media_type";
    case ErrorCode::kNoKeysConfigured:
      return "no_keys_configured";
    case ErrorCode::kAllKeysCooling:
      return "all_keys_cooling";
    case ErrorCode::kCredentialsExhausted:
      return "upstream_credentials_exhausted";
    case ErrorCode::kPinnedKeyUnavailable:
      return "pinned_key_unavailable";
    case ErrorCode::kUpstreamUnresolved:
      return "upstream_unresolved";
    case ErrorCode::kUpstreamConnect:
      return "upstream_connect_failed";
    case ErrorCode::kUpstreamConnectTimeout:
      return "upstream_connect_timeout";
    case ErrorCode::kUpstreamTls:
      return "upstream_tls_failed";
    case ErrorCode::kUpstreamRefused:
      return "upstream_address_refused";
    case ErrorCode::kEgressProxy:
      return "egress_proxy_failed";
    case ErrorCode::kUpstreamTimeout:
      return "upstream_timeout";
    case ErrorCode::kUpstreamProtocol:
      return "upstream_protocol_error";
    case ErrorCode::kUpstreamClosed:
      return "upstream_closed";
    case ErrorCode::kUpstreamInterrupted:
      return "upstream_stream_interrupted";
    case ErrorCode::kOverloaded:
      return "overloaded";
    case ErrorCode::kShuttingDown:
      return "shutting_down";
    case ErrorCode::kLocked:
      return "locked";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kInternal:
      return "internal_error";
    case ErrorCode::kInvalid:
      return "invalid_value";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kUnauthorized:
      return "unauthorized";
    case ErrorCode::kTooManyRequests:
      return "too_many_requests";
    case ErrorCode::kStoreUnavailable:
      return "store_unavailable";
  }
  return "unknown";
}

}  // namespace akr
