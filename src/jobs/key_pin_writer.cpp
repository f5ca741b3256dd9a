#include "jobs/key_pin_writer.hpp"

namespace akr {
namespace {

constexpr std::size_t kRowsPerBatch = 1000;
constexpr int kMostChunks = 20;  // removed per call, so that new pins do not wait for old ones
constexpr std::chrono::minutes kRemovalPeriod{1};

}  // namespace

Result<void> KeyPinWriter::restore() {
  const MutexLock lock(mutex_);
  return note(load());
}

Result<void> KeyPinWriter::load() {
  if (loaded_) return {};
  const WallTime now = clock_.wall();
  const auto pins = store_.load(now, PinTable::kMost);
  if (!pins) return pins.error();
  table_.restore(*pins, now);
  loaded_ = true;
  return {};
}

Result<void> KeyPinWriter::write_changes() {
  const MutexLock lock(mutex_);
  // A full disk is not helped by five transactions a second, nor its log.
  if (failure_ && clock_.now() < paused_until_) return *failure_;
  return note(write());
}

Result<void> KeyPinWriter::write_now() {
  const MutexLock lock(mutex_);
  return note(write());
}

Result<void> KeyPinWriter::note(Result<void> written) {
  failure_.reset();
  if (written) return written;
  failure_ = written.error();
  paused_until_ = clock_.now() + kPinPause;
  return written;
}

Result<void> KeyPinWriter::write() {
  if (auto read = load(); !read) return read;
  for (;;) {
    const auto changes = table_.take_changes(kRowsPerBatch);
    if (changes.empty()) break;
    if (auto saved = store_.save(changes); !saved) {
      table_.return_changes(changes);
      return saved;
    }
  }
  if (clock_.now() < next_removal_) return {};
  return remove_old();
}

Result<void> KeyPinWriter::remove_old() {
  const WallTime before = table_.expire(clock_.wall());
  for (int chunk = 0; chunk < kMostChunks; ++chunk) {
    const auto removed = store_.remove_before(before, kRowsPerBatch);
    if (!removed) return removed.error();
    if (*removed < kRowsPerBatch) {
      next_removal_ = clock_.now() + kRemovalPeriod;
      break;
    }
  }
  return {};
}

}  // namespace akr
