#include "cluster/local/local_cluster_state.hpp"

namespace akr {

std::uint64_t LocalClusterState::next(ServiceId pool) {
  MutexLock lock(mutex_);
  return cursors_[pool]++;
}

}  // namespace akr
