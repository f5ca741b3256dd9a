// probe_request.hpp - the free call that tells whether an upstream key is accepted: what is sent, and what the answer
// means.  Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "core/outcome/outcome.hpp"
#include "core/service/routing_table.hpp"
#include "net/http/http1.hpp"

namespace akr {

// Is there a call for this service that costs nothing?  What the provider of an LLM service has; of GENERIC services
// the one that the operator named, if it carries a key.
bool can_probe(const Service& service);

// The whole head of that call to `url`, one of the service's, with the key in its place.  REQUIRES:
// can_probe(service.config).  kPathRefused as join_target.
Result<std::string> probe_head(const RoutedService& service, const UpstreamUrl& url, const PooledKey& key);

// As for a client's request: the service's rules, then the provider, then the table (behaviour.md section 2).
Verdict judge_probe(const RoutedService& service, const net::MessageHead& answer, std::string_view body, WallTime now);

}  // namespace akr
