// upstream_health.hpp - what attempts tell about the URLs of a service, and the log lines of what that changed.
#pragma once

#include "core/outcome/outcome.hpp"
#include "proxy/attempt/attempt.hpp"
#include "upstream/routing_table.hpp"

namespace akr {

// Reports the endpoint's part of a verdict; logs `upstream_ejected` and `upstream_returned`.  Nothing for services with
// one URL.
void report_upstream(const RoutedService& service, UpstreamLease& lease, EndpointEffect effect, TimePoint now);

// An answer that was not relayed to its end: what that means for its key and its URL.
void report_broken(const RequestContext& ctx, Attempt& attempt, AttemptEnd end, TimePoint now);

}  // namespace akr
