#include "jobs/outage_alerts.hpp"

#include <utility>

#include "base/log.hpp"

namespace akr {

OutageAlerts::OutageAlerts(ServicePools pools, Tell tell) : pools_(std::move(pools)), tell_(std::move(tell)) {}

void OutageAlerts::look(TimePoint now) {
  std::unordered_map<ServiceId, Seen> still;
  for (const ServicePool& pool : pools_()) {
    Seen& seen = still[pool.service];
    if (const auto before = seen_.find(pool.service); before != seen_.end()) seen = before->second;
    look_at(pool, seen, now);
  }
  seen_ = std::move(still);
}

void OutageAlerts::look_at(const ServicePool& pool, Seen& seen, TimePoint now) {
  const OutageStatus status = pool.keys->outage();
  const auto seconds = [&](TimePoint since) { return std::chrono::duration_cast<std::chrono::seconds>(now - since); };
  const bool another = status.episodes != seen.episodes;
  if (seen.suspected && (another || !status.suspected)) tell_({pool.slug, false, status.reason, seconds(seen.since)});
  if (another) tell_({pool.slug, true, status.reason, seconds(status.since)});
  if (another && !status.suspected) tell_({pool.slug, false, status.reason, seconds(status.since)});
  seen = {status.episodes, status.suspected, status.since};
}

void OutageAlerts::log_alert(const OutageAlert& alert) {
  if (alert.began) {
    log_warn("upstream_suspected",
             {{"service", alert.service},
              {"reason", alert.reason},
              {"message",
               "most keys fail the same way: the upstream is blamed, no key is, and one request per second "
               "finds out"}});
    return;
  }
  log_info("upstream_recovered",
           {{"service", alert.service}, {"reason", alert.reason}, {"lasted_s", alert.lasted.count()}});
}

}  // namespace akr
