// publisher.hpp - store -> RoutingTable -> publish; the only writer of the snapshot the data plane reads.
//
// Keeps the key pools and the URLs' health by service id, so that both and the cursors survive every edit.  Blocking,
// safe for concurrent use: refreshes run one after the other.  A refresh that fails keeps the published table,
// remembers what it owed and pays it at the next call; retry() is there for a timer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "cluster/cluster_state.hpp"
#include "core/service/key_in_path.hpp"
#include "core/service/validate.hpp"
#include "jobs/service_pool.hpp"
#include "store/config_store.hpp"
#include "upstream/routing_table.hpp"

namespace akr {

struct PublisherStatus {
  std::uint64_t published = 0;        // tables so far
  std::optional<Error> failure;       // of the last refresh; nullopt = the table is current
  std::vector<std::string> left_out;  // "slug: field: why" of services that cannot be routed
  std::vector<LeftOutFallback> left_out_fallbacks;
  std::vector<std::string> skipped_rules;  // "slug: failure_rules[2].body_regex: why" of rules that are too large
};

class Publisher {
 public:
  using Publish = std::function<void(std::shared_ptr<const RoutingTable>)>;

  // `publish` runs on the refreshing thread and must not call back.  Store, cluster and clock outlive the
  // publisher.
  // `clock` is told to the pools, for days and months.
  Publisher(ConfigStore& store, ClusterState& cluster, const ValidationPolicy& policy, Publish publish,
            const Clock& clock = system_clock());

  // Reads everything again: at the start, and when another node announced a change.
  Result<void> refresh();

  // After a committed write here; the other nodes are told too.  Only what changed is read again: the keys of a
  // service that was merely edited are not.
  Result<void> service_changed();
  Result<void> keys_changed(ServiceId service);
  // Only additions: the keys that were there before are neither read nor opened again.
  Result<void> keys_added(ServiceId service);

  // For a timer: tries again what failed, and keeps the pools' calendars right when the clock or the zone's offset
  // moved.
  Result<void> retry();
  // A change may be in the store without having been told of here: somebody was interrupted.  retry() reads all again.
  void doubt();

  PublisherStatus status();
  std::shared_ptr<KeyPool> pool(ServiceId service);           // nullptr: not published
  std::vector<ServicePool> pools();                           // all whose keys have been read at least once
  std::shared_ptr<UpstreamSet> upstreams(ServiceId service);  // nullptr: not published, or it has one URL

 private:
  struct Pool {
    std::shared_ptr<KeyPool> keys;
    std::string slug;
    bool stale = true;                       // its keys must be read (again)
    bool filled = false;                     // they have been read before
    bool grown = false;                      // there are new ones behind `newest`
    KeyId newest{0};                         // the highest id that was read
    KeyInPath place;                         // what decided which of them may be sent
    std::optional<PoolSettings> settings;    // what it was configured with
    std::shared_ptr<UpstreamSet> upstreams;  // of services with several URLs
  };
  Result<void> rebuild() REQUIRES_LOCK(mutex_);
  Result<void> collect(std::vector<RoutedService>& routed) REQUIRES_LOCK(mutex_);
  Result<Pool*> current_pool(const Service& service) REQUIRES_LOCK(mutex_);
  void tell_time() REQUIRES_LOCK(mutex_);
  static void configure(Pool& pool, const Service& service);
  static Result<void> update_upstreams(Pool& pool, const Service& service);
  void note_skipped(const std::string& slug, const SkippedRule& rule, const std::string& told) REQUIRES_LOCK(mutex_);
  void note_fallbacks(const RoutingTable& table) REQUIRES_LOCK(mutex_);
  Result<void> update_keys(const Service& service, Pool& pool);
  Result<bool> append_keys(ServiceId service, Pool& pool);
  Result<void> read_keys(ServiceId service, Pool& pool);

  ConfigStore& store_;
  ClusterState& cluster_;
  const ValidationPolicy policy_;
  const Publish publish_;
  const Clock& clock_;
  Mutex mutex_;
  std::unordered_map<ServiceId, Pool> pools_ GUARDED_BY(mutex_);
  PublisherStatus status_ GUARDED_BY(mutex_);
  bool owed_ GUARDED_BY(mutex_) = false;  // a rebuild was begun and did not end
};

}  // namespace akr
