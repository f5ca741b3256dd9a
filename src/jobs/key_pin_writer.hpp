// key_pin_writer.hpp - carries pins to the store, and back after a restart.
//
// A kill -9 loses the pins that were made since the last write_changes(): call it every kPinPeriod.  Blocking; safe for
// concurrent use.
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "core/pins/pin_table.hpp"
#include "store/key_pin_store.hpp"

namespace akr {

// What a client was told is stored at most this long (and one commit) later.
inline constexpr std::chrono::milliseconds kPinPeriod{200};
inline constexpr std::chrono::seconds kPinPause{5};

class KeyPinWriter {
 public:
  // All of them outlive it.
  KeyPinWriter(KeyPinStore& store, PinTable& table, const Clock& clock) : store_(store), table_(table), clock_(clock) {}

  // Fills the table from the store.  At the start, before the first request; if it fails, write_changes() tries again.
  Result<void> restore();

  // Stores what changed since the last call, and once a minute removes what has expired, in chunks.  The store
  // is not asked in between when nothing changed.  After a failure it is left alone for kPinPause, in which calls
  // return that failure; then what could not be stored is tried again.
  Result<void> write_changes();
  // The same without the pause: at the end.
  Result<void> write_now();

 private:
  Result<void> load() REQUIRES_LOCK(mutex_);
  Result<void> write() REQUIRES_LOCK(mutex_);
  Result<void> note(Result<void> written) REQUIRES_LOCK(mutex_);
  Result<void> remove_old() REQUIRES_LOCK(mutex_);

  KeyPinStore& store_;
  PinTable& table_;
  const Clock& clock_;
  Mutex mutex_;
  bool loaded_ GUARDED_BY(mutex_) = false;
  TimePoint next_removal_ GUARDED_BY(mutex_){};
  std::optional<Error> failure_ GUARDED_BY(mutex_);  // of the last time the store was asked
  TimePoint paused_until_ GUARDED_BY(mutex_){};
};

}  // namespace akr
