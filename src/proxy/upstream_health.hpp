// upstream_health.hpp - what attempts tell about the URLs of a service, and the log lines of what that changed.
#pragma once

#include "core/routing_table.hpp"

namespace akr {

// Reports the endpoint's part of a verdict; logs `upstream_ejected` and `upstream_returned`.  Nothing for services with
// one URL.
void report_upstream(const RoutedService& service, UpstreamLease& lease, EndpointEffect effect, TimePoint now);

}  // namespace akr
