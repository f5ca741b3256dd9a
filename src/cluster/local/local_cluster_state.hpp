// local_cluster_state.hpp - ClusterState of a single node: the cursors, and nobody else to tell.
#pragma once

#include <unordered_map>

#include "base/mutex.hpp"
#include "cluster/cluster_state.hpp"

namespace akr {

class LocalClusterState final : public ClusterState {
 public:
  std::uint64_t next(ServiceId pool) override;
  // This node's own KeyPool knows already.
  void share_cooldown(KeyId, TimePoint) override {}
  void announce() override {}
  void on_announce(std::function<void()>) override {}

 private:
  Mutex mutex_;
  std::unordered_map<ServiceId, std::uint64_t> cursors_ GUARDED_BY(mutex_);
};

}  // namespace akr
