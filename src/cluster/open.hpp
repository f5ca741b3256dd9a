// open.hpp - THE list of ways in which nodes share state.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "cluster/cluster_state.hpp"

namespace akr {

enum class ClusterKind { kLocal, kRedis };

Result<std::unique_ptr<ClusterState>> open_cluster_state(ClusterKind kind);

}  // namespace akr
