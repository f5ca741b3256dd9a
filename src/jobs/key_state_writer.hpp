// key_state_writer.hpp - carries what the pools learn about keys to the store, and back after a restart.
//
// A kill -9 loses what was learnt since the last write_changes(): call it every second.  Blocking; safe for concurrent
// use.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "jobs/service_pool.hpp"
#include "store/key_state_store.hpp"

namespace akr {

class KeyStateWriter {
 public:
  // Store and clock outlive it.
  KeyStateWriter(KeyStateStore& store, ServicePools pools, const Clock& clock);

  // Gives every pool that it has not seen before its stored states.  At the start, before the first request; later
  // pools get theirs with the next write_changes().  Returns the first failure; such a pool is tried again.
  Result<void> restore();

  // Stores what changed since the last call: nothing is written, and no pool is read, when nothing has.  A pool that
  // could not be stored is tried again at the next call.  Returns the first failure.
  Result<void> write_changes();

 private:
  using RowKey = std::tuple<std::int64_t, std::string, std::string>;  // key, group, model
  struct Followed {
    std::weak_ptr<KeyPool> pool;  // another one under the same id is a new pool
    std::uint64_t version = 0;    // of what was written
    bool dirty = true;            // something is owed whatever the version says
    std::map<RowKey, KeyStateRecord> stored;
  };
  Result<Followed*> follow(const ServicePool& pool) REQUIRES_LOCK(mutex_);
  Result<void> write(const ServicePool& pool) REQUIRES_LOCK(mutex_);
  void forget_missing(const std::vector<ServicePool>& present) REQUIRES_LOCK(mutex_);

  KeyStateStore& store_;
  const ServicePools pools_;
  const Clock& clock_;
  Mutex mutex_;
  std::unordered_map<ServiceId, Followed> followed_ GUARDED_BY(mutex_);
};

}  // namespace akr
