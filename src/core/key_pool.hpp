// key_pool.hpp - the upstream keys of one service with their health; chooses one per attempt.
//
// Thread-safe: one short lock, no allocation on select() or report() in the steady state.  A pool outlives its
// service's edits (Publisher hands it the new keys), so health and cursor survive them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "core/service.hpp"
#include "core/verdict.hpp"

namespace akr {

class KeyPool;

// One key as the data plane sees it.  Immutable; kept alive by leases after the key was deleted.
struct PooledKey {
  KeyId id;
  Secret secret;
  std::string fingerprint;  // 8 hex digits, for logs and metrics
};

// One key taken for one attempt.  The key counts as in use until the lease dies; forgetting is impossible.
// Movable; used by one thread at a time; must not outlive the process, may outlive the pool's key.
class KeyLease {
 public:
  KeyLease() = default;
  KeyLease(KeyLease&&) noexcept;
  KeyLease& operator=(KeyLease&&) noexcept;
  ~KeyLease();

  const PooledKey& key() const { return *key_; }
  explicit operator bool() const { return key_ != nullptr; }

  // Applies the key part of a verdict; may be called again (the head was good, then the stream broke).
  void report(const Verdict& verdict, TimePoint now);

 private:
  friend class KeyPool;
  KeyLease(std::shared_ptr<KeyPool> pool, std::shared_ptr<const PooledKey> key, std::uint32_t slot)
      : pool_(std::move(pool)), key_(std::move(key)), slot_(slot) {}
  void release();
  std::shared_ptr<KeyPool> pool_;
  std::shared_ptr<const PooledKey> key_;
  std::uint32_t slot_ = 0;  // index hint into the pool; checked by id, because keys may be replaced meanwhile
};

struct SelectRequest {
  std::span<const KeyId> tried = {};  // keys this request already used; never chosen again
  std::string_view model = {};        // "" = unknown: model-scoped cooldowns do not apply
};

struct PoolCounts {
  std::size_t total = 0;
  std::size_t disabled = 0;
  std::size_t active = 0;  // usable now
  std::size_t cooling = 0;
  std::size_t exhausted = 0;
  std::size_t invalid = 0;
  std::size_t in_flight = 0;
};

class KeyPool : public std::enable_shared_from_this<KeyPool> {
 public:
  // `seed` decides where the cursor starts, so that restarts do not always hit the first key.
  // Make it with make_shared: leases hold a reference.
  explicit KeyPool(std::uint64_t seed);
  ~KeyPool();

  // Takes a usable key for one attempt.  kNoKeysConfigured: no enabled key at all.  kAllKeysCooling: some are enabled
  // but none may be used now (Error::retry_after = seconds to the soonest, at least 1), or all usable ones are in
  // `tried`.
  Result<KeyLease> select(const SelectRequest& request, TimePoint now);

  // The enabled and disabled keys from now on, in the operator's order.  Health of keys that stay is kept.
  void replace_keys(std::span<const UpstreamKey> keys);

  PoolCounts counts(TimePoint now);

 private:
  friend class KeyLease;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace akr
