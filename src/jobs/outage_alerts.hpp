// outage_alerts.hpp - tells people once when a service's upstream, not its keys, is to blame (D25), and once when it is
// back.
//
// Used by one thread (a Ticker's).  An episode that began and ended between two looks is told as both.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "jobs/service_pool.hpp"

namespace akr {

struct OutageAlert {
  std::string_view service;        // slug
  bool began = false;              // else it is over
  std::string_view reason;         // of the failures: "http_403", ...
  std::chrono::seconds lasted{0};  // so far
};

class OutageAlerts {
 public:
  using Tell = std::function<void(const OutageAlert&)>;

  // `tell` writes log lines unless something else is wanted.
  explicit OutageAlerts(ServicePools pools, Tell tell = log_alert);
  void look(TimePoint now);

  // upstream_suspected (warning), upstream_recovered.
  static void log_alert(const OutageAlert& alert);

 private:
  struct Seen {
    std::uint64_t episodes = 0;
    bool suspected = false;
    TimePoint since{};
  };
  void look_at(const ServicePool& pool, Seen& seen, TimePoint now);

  const ServicePools pools_;
  const Tell tell_;
  std::unordered_map<ServiceId, Seen> seen_;
};

}  // namespace akr
