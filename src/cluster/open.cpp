#include "cluster/open.hpp"

#include "cluster/local/local_cluster_state.hpp"

namespace akr {

Result<std::unique_ptr<ClusterState>> open_cluster_state(ClusterKind kind) {
  switch (kind) {
    case ClusterKind::kLocal:
      return std::unique_ptr<ClusterState>(std::make_unique<LocalClusterState>());
    case ClusterKind::kRedis:
      return Error{ErrorCode::kUnsupported, "This build runs as a single node; Redis is not part of it yet."};
  }
  return Error{ErrorCode::kInternal, "unknown kind of cluster state"};
}

}  // namespace akr
