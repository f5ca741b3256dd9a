#include "proxy/upstream_health.hpp"

#include "base/log.hpp"

namespace akr {
namespace {

// Without path and query: a query may hold what is nobody's business.
std::string address_of(const Origin& origin) {
  const bool ipv6 = origin.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + origin.host + "]" : origin.host) + ":" + std::to_string(origin.port);
}

}  // namespace

void report_upstream(const RoutedService& service, UpstreamLease& lease, EndpointEffect effect, TimePoint now) {
  if (!lease) return;
  switch (lease.report(effect, now)) {
    case UpstreamChange::kNone:
      return;
    case UpstreamChange::kEjected:
      log_warn("upstream_ejected", {{"service", service.config.slug}, {"upstream", address_of(lease.url().origin)}});
      return;
    case UpstreamChange::kReturned:
      log_info("upstream_returned", {{"service", service.config.slug}, {"upstream", address_of(lease.url().origin)}});
      return;
  }
}

}  // namespace akr
