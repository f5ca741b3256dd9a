#include "proxy/attempt/upstream_health.hpp"

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

void report_broken(const RequestContext& ctx, Attempt& attempt, AttemptEnd end, TimePoint now) {
  const Verdict verdict = classify({.end = end});
  attempt.lease.report(verdict, now);
  // The operator's limit on the whole call says nothing about an upstream that was answering.
  if (now < ctx.deadline) report_upstream(*attempt.by.service, attempt.upstream, verdict.endpoint, now);
}

}  // namespace akr
