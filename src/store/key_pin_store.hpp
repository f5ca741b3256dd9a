// key_pin_store.hpp - which key made what, kept over a restart.  Control plane only.
//
// Blocking; safe for concurrent use.  Any call may return kStoreUnavailable, and save() and remove_before() kLocked, as
// in ConfigStore.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "core/pins/key_pin.hpp"

namespace akr {

class KeyPinStore {
 public:
  virtual ~KeyPinStore() = default;

  // Pins that end after `now`, those that end first in front: the last `most` of them.  A row that cannot be read is
  // left out.
  virtual Result<std::vector<KeyPin>> load(WallTime now, std::size_t most) = 0;

  // Replaces pins of the same id.  In batches, each a transaction: after an error some may be written.  Saying it again
  // is harmless.
  virtual Result<void> save(std::span<const KeyPin> pins) = 0;

  // Removes about `most` of the pins that end before `time`, in one short transaction.  How many were removed.
  virtual Result<std::size_t> remove_before(WallTime time, std::size_t most) = 0;
};

}  // namespace akr
