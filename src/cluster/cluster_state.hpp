// cluster_state.hpp - what the nodes of one installation agree on.  Safe for concurrent use; never blocks the caller:
// where a network is involved, the work is queued and an outage falls back to this node alone.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"
#include "core/ids.hpp"

namespace akr {

class ClusterState {
 public:
  virtual ~ClusterState() = default;

  // The next number of this service's cursor: 0, 1, 2, ... over all nodes, each given out once.
  virtual std::uint64_t next(ServiceId pool) = 0;

  // Tells the other nodes that this key is to be skipped.
  virtual void share_cooldown(KeyId key, TimePoint until) = 0;

  // Tells the other nodes that services or keys have changed in the store.
  virtual void announce() = 0;

  // Calls back, on a thread of the implementation's, for each announcement of another node; several may be joined into
  // one.  Set once, before the first request; the callback outlives the ClusterState.
  virtual void on_announce(std::function<void()> callback) = 0;
};

}  // namespace akr
