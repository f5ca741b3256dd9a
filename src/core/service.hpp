// service.hpp - what an operator configures: a service and its upstream keys, as plain values.
//
// A Service that passed validate_service() (validate.hpp) keeps every promise written here; nothing else makes one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "core/ids.hpp"

namespace akr {

enum class ServiceType { kGeneric, kLlm };
enum class KeyLocation { kHeader, kQuery };

// How the upstream key travels.  For LLM services the format decides unless the operator named a place.
struct KeyPlacement {
  KeyLocation location = KeyLocation::kHeader;
  std::string name;    // header or query parameter; never a framing or hop-by-hop header
  std::string prefix;  // put before the key in a header ("Bearer "); may be empty
};

// D04.  Zero = off, only for total.
struct Timeouts {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_byte{30'000};
  std::chrono::milliseconds stream_idle{300'000};
  std::chrono::milliseconds total{30'000};
};

struct RetrySettings {
  int max_attempts = 3;                      // 1..10; 1 = no second try
  std::chrono::milliseconds budget{45'000};  // no new attempt after it
  bool retry_non_idempotent = false;         // POST and PATCH after 5xx or a timeout
};

struct Service {
  ServiceId id;
  std::int64_t revision = 0;  // bumped by each write
  std::string name;           // unique, 1..100 characters
  std::string slug;           // unique, [A-Za-z0-9._-]{1,100}
  ServiceType type = ServiceType::kGeneric;
  bool active = true;
  std::string target_url;                     // http(s)://host[:port][/base][?query]; no userinfo, no fragment
  std::vector<std::string> methods;           // upper case; empty = any.  Generic services only
  std::string api_format;                     // LLM: openai_compatible | anthropic_native | gemini_native
  std::string output_format;                  // what clients speak; "none" = the upstream's own
  std::optional<KeyPlacement> key_placement;  // nullopt: the format's own place (LLM), none sent (generic)
  std::string egress_proxy;                   // "" or http|https|socks5|socks5h://[user:password@]host:port
  Timeouts timeouts;
  RetrySettings retry;
  bool accept_body_key = false;   // member api_key of an OpenAI JSON body is an access key too
  bool stream_uploads = false;    // request bodies without limit, at the price of one attempt
  bool allow_set_cookie = false;  // relay the upstream's Set-Cookie
  WallTime created_at{};
  WallTime updated_at{};
};

struct UpstreamKey {
  KeyId id;
  ServiceId service;
  Secret secret;         // printable bytes, 1..8192
  bool enabled = true;   // changed by people only
  bool readable = true;  // false: the ciphertext did not open (tampered, or another encryption key); never selected
  std::string note;
};

struct NewKey {
  Secret secret;
  bool enabled = true;
};

// Defaults of D04 for a type; `rest_total` is PROXY_TIMEOUT.
Timeouts default_timeouts(ServiceType type, std::chrono::milliseconds rest_total);
RetrySettings default_retry(ServiceType type);

}  // namespace akr
