// key_state_store.hpp - what the pools have learnt about their keys, kept over a restart.  Control plane only.
//
// Blocking; safe for concurrent use.  Any call may return kStoreUnavailable, and save() kLocked, as in ConfigStore.
#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "core/ids.hpp"
#include "core/keys/key_state.hpp"

namespace akr {

class KeyStateStore {
 public:
  virtual ~KeyStateStore() = default;

  // In no particular order.  A row whose state has no meaning here is left out.  Rows may be about keys that are gone.
  virtual Result<std::vector<KeyStateRecord>> load(ServiceId service) = 0;

  // `changed` rows replace those with the same key, group and model; rows like `gone` are removed.  In batches, each a
  // transaction, so that other writes are not held up: after an error some may be written.  Saying it again is
  // harmless.
  virtual Result<void> save(ServiceId service, std::span<const KeyStateRecord> changed,
                            std::span<const KeyStateRecord> gone) = 0;
};

}  // namespace akr
