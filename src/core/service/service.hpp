// service.hpp - what an operator configures: a service and its upstream keys, as plain values.
//
// A Service that passed validate_service() (validate.hpp) keeps every promise written here; nothing else makes one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "core/ids.hpp"
#include "core/outcome/failure_rules.hpp"

namespace akr {

enum class ServiceType { kGeneric, kLlm };
// Which key serves a request that makes something which lives in its account (D23).
enum class Pinning : std::uint8_t {
  kHome,    // the access key's home: all that it makes lives together
  kSpread,  // any, by the policy
};
enum class KeyLocation { kHeader, kQuery, kPath };

// How the upstream key travels.  For LLM services the format decides unless the operator named a place.
struct KeyPlacement {
  KeyLocation location = KeyLocation::kHeader;
  std::string name;    // header or query parameter; never a framing or hop-by-hop header.  kPath needs none: the URL
                       // says {key} where the key goes
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

// One base URL of a service that has several.
struct Upstream {
  std::string url;            // as Service::target_url
  std::uint32_t weight = 1;   // share among the healthy ones of its tier; 0 = drain: never chosen
  std::int32_t priority = 0;  // tier: a lower one is used as long as it has a healthy URL
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

// Things that live in one provider account (jobs, files) and so belong to the key that made them (D23).  An id that an
// answer named comes back in a path segment, a query value or at one of `used`; the request then takes the same key.
struct AffinityRule {
  std::string method = {};                // of the request that makes the thing; "" = any
  std::string path = {};                  // of it, behind the slug: "/jobs/*", '*' = one segment; "" = any
  std::vector<std::string> created = {};  // RFC 6901 pointers to ids in its JSON answer: "/id"
  std::vector<std::string> used = {};     // RFC 6901 pointers into the JSON body of any request: "/job_id"
  friend bool operator==(const AffinityRule&, const AffinityRule&) = default;
};

struct Service {
  ServiceId id;
  std::int64_t revision = 0;  // bumped by each write
  std::string name;           // unique, 1..100 characters
  std::string slug;           // unique, [A-Za-z0-9._-]{1,100}
  ServiceType type = ServiceType::kGeneric;
  bool active = true;
  std::string
      target_url;  // http(s)://host[:port][/base][?query]; no userinfo, no fragment; {key} with KeyLocation::kPath
  std::vector<Upstream> upstreams;            // empty = target_url alone; else all of them, target_url being the first
  std::vector<ServiceId> fallbacks;           // asked in this order when no key or URL of this one can serve; up to 8
  std::vector<std::string> methods;           // upper case; empty = any.  Generic services only
  std::string api_format;                     // LLM: openai_compatible | anthropic_native | gemini_native
  std::string output_format;                  // what clients speak; "none" = the upstream's own
  std::optional<KeyPlacement> key_placement;  // nullopt: the format's own place (LLM), none sent (generic)
  std::string egress_proxy;                   // "" or http|https|socks5|socks5h://[user:password@]host:port
  Timeouts timeouts;
  RetrySettings retry;
  std::string selection_policy = "round_robin";  // an id of core/keys/selection/registry.hpp
  bool auto_disable = true;                      // false: no key is ever found exhausted or invalid by itself
  int invalid_after = 2;                         // 401s in a row within 10 min until a key is invalid, 1..10
  bool outage_guard = true;                      // most keys failing alike blames the upstream (D25)
  std::vector<FailureRule> failure_rules;        // asked before the format's own knowledge (D37)
  std::chrono::milliseconds wait_for_key{0};     // longest wait for a key that will soon be usable (D06); 0 = none
  std::vector<AffinityRule> affinity_rules;      // LLM formats know their own; these come on top
  std::string validation_path;                   // GENERIC: a GET that costs nothing, to try keys with; "" = none
  bool retry_on_empty = false;                   // LLM: a good answer without content is tried again (D33)
  bool accept_body_key = false;                  // member api_key of an OpenAI JSON body is an access key too
  bool stream_uploads = false;                   // bodies pass through as they come, in one attempt
  bool allow_set_cookie = false;                 // relay the upstream's Set-Cookie
  std::vector<std::string> cors_origins;         // whose web pages may call (cors_origins.hpp); empty = nobody's
  bool forward_client_ip = false;                // tell the upstream who the client is: X-Forwarded-For (D08)
  Pinning pinning = Pinning::kHome;
  bool share_resources = false;  // access keys reach what another one made (D23)
  WallTime created_at{};
  WallTime updated_at{};
};

// What the provider allows, per key; 0 = no limit.  A key at a limit is skipped, not failed (D27).  Keys of one quota
// group share one account, in which the strictest value of its members counts.
struct KeyLimits {
  std::uint32_t rpm = 0;                // requests in any 60 s
  std::uint64_t tpm = 0;                // tokens in any 60 s
  std::uint32_t rpd = 0;                // requests per calendar day
  std::uint32_t max_concurrency = 0;    // attempts at the same time
  std::uint64_t monthly_quota = 0;      // requests per month
  std::uint32_t monthly_reset_day = 1;  // 1..28
  friend bool operator==(const KeyLimits&, const KeyLimits&) = default;
};

struct UpstreamKey {
  KeyId id;
  ServiceId service;
  Secret secret;         // printable bytes, 1..8192
  bool enabled = true;   // changed by people only
  bool readable = true;  // false: the ciphertext did not open (tampered, or another encryption key); never selected
  std::string note;
  std::uint32_t weight = 1;   // share under the policy `weighted`; 0 = drain: never chosen, under any policy
  std::int32_t priority = 0;  // tier: a lower one is used as long as it has a usable key
  std::string group;          // quota group: keys that share cooldowns and limits; "" = none
  std::string account;        // the provider account that it belongs to: its keys reach the same things; "" = its own
  KeyLimits limits;
};

struct NewKey {
  Secret secret;
  bool enabled = true;
  std::string note = {};
  std::uint32_t weight = 1;
  std::int32_t priority = 0;
  std::string group = {};
  std::string account = {};
  KeyLimits limits = {};
};

inline constexpr std::string_view kDefaultApiFormat = "openai_compatible";  // the original's column default

// A service for which nothing was set yet.  `rest_total` is PROXY_TIMEOUT.
Service new_service(ServiceType type, std::chrono::milliseconds rest_total);

// Defaults of D04 for a type; `rest_total` is PROXY_TIMEOUT.
Timeouts default_timeouts(ServiceType type, std::chrono::milliseconds rest_total);
RetrySettings default_retry(ServiceType type);

}  // namespace akr
