#include "core/keys/key_pool.hpp"

#include <algorithm>
#include <utility>

#include "core/keys/pool/pool_state.hpp"

namespace akr {

struct KeyPool::State {
  explicit State(std::uint64_t seed) : pool(seed) {}

  // Held while a new roster is made, so that edits do not overtake each other; taken before `mutex`.
  Mutex edit;
  std::vector<std::shared_ptr<const PooledKey>> known GUARDED_BY(edit);  // of the present roster, sorted by id

  Mutex mutex;
  PoolState pool GUARDED_BY(mutex);
};

KeyLease::KeyLease(KeyLease&& other) noexcept : pool_(std::move(other.pool_)), claim_(other.claim_) {
  other.claim_.key = nullptr;
}

KeyLease& KeyLease::operator=(KeyLease&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::move(other.pool_);
  claim_ = other.claim_;
  other.claim_.key = nullptr;
  return *this;
}

KeyLease::~KeyLease() { release(); }

void KeyLease::release() {
  if (!pool_) return;
  {
    const MutexLock lock(pool_->state_->mutex);
    pool_->state_->pool.release(claim_);
  }
  pool_.reset();
  claim_.key = nullptr;
}

void KeyLease::report(const Verdict& verdict, TimePoint now) {
  if (!pool_) return;
  const MutexLock lock(pool_->state_->mutex);
  pool_->state_->pool.report(claim_, verdict, now);
}

bool KeyLease::renew(std::uint32_t tokens, TimePoint now) {
  if (!pool_) return false;
  const MutexLock lock(pool_->state_->mutex);
  return pool_->state_->pool.renew(claim_, tokens, now);
}

void KeyLease::note_failure(int status, std::string_view redacted) {
  if (!pool_) return;
  const MutexLock lock(pool_->state_->mutex);
  pool_->state_->pool.note_failure(claim_, status, redacted);
}

void KeyLease::observe_latency(Duration first_byte, TimePoint now) {
  if (!pool_) return;
  const MutexLock lock(pool_->state_->mutex);
  pool_->state_->pool.observe_latency(claim_, first_byte, now);
}

void KeyLease::observe_remaining(std::uint64_t remaining, Duration reset_in, TimePoint now) {
  if (!pool_ || remaining > 0) return;
  const MutexLock lock(pool_->state_->mutex);
  pool_->state_->pool.pace(claim_, reset_in, now);
}

void KeyLease::count_tokens(std::uint64_t tokens, TimePoint now) {
  if (!pool_) return;
  const MutexLock lock(pool_->state_->mutex);
  pool_->state_->pool.count_tokens(claim_, tokens, now);
}

KeyPool::KeyPool(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}

KeyPool::~KeyPool() = default;

Result<void> KeyPool::configure(const PoolSettings& settings) {
  const MutexLock lock(state_->mutex);
  return state_->pool.configure(settings);
}

void KeyPool::set_wall_clock(TimePoint now, WallTime wall, std::chrono::seconds utc_offset) {
  const MutexLock lock(state_->mutex);
  state_->pool.set_wall_clock(now, wall, utc_offset);
}

Result<KeyLease> KeyPool::select(const SelectRequest& request, TimePoint now) {
  Result<KeyClaim> claim = [&] {
    const MutexLock lock(state_->mutex);
    return state_->pool.take(request, now);
  }();
  if (!claim) return claim.error();
  return KeyLease(shared_from_this(), *claim);
}

Result<KeyLease> KeyPool::select_exactly(KeyId key, const SelectRequest& request, TimePoint now) {
  Result<KeyClaim> claim = [&] {
    const MutexLock lock(state_->mutex);
    return state_->pool.take_exactly(key, request, now);
  }();
  if (!claim) return claim.error();
  return KeyLease(shared_from_this(), *claim);
}

std::optional<Duration> KeyPool::free_in(std::string_view model, TimePoint now) {
  const MutexLock lock(state_->mutex);
  return state_->pool.free_in(model, now);
}

SelectPreview KeyPool::preview(const SelectRequest& request, std::size_t explain, TimePoint now) {
  const MutexLock lock(state_->mutex);
  return state_->pool.preview(request, explain, now);
}

void KeyPool::replace_keys(std::span<const UpstreamKey> keys) {
  const MutexLock editing(state_->edit);
  Roster roster = make_roster(keys, state_->known);
  std::vector<std::shared_ptr<const PooledKey>> known;
  known.reserve(keys.size());
  for (const Roster::IdPlace& place : roster.by_id) known.push_back(roster.records[place.slot].key);
  state_->known.swap(known);
  const MutexLock lock(state_->mutex);
  state_->pool.adopt(std::move(roster));
}

bool KeyPool::append_keys(std::span<const UpstreamKey> keys) {
  const MutexLock editing(state_->edit);
  Roster more = make_roster(keys, {});
  std::vector<std::shared_ptr<const PooledKey>> fresh;
  fresh.reserve(keys.size());
  for (const Roster::IdPlace& place : more.by_id) fresh.push_back(more.records[place.slot].key);
  {
    const MutexLock lock(state_->mutex);
    if (!state_->pool.append(std::move(more))) return false;
  }
  state_->known.insert(state_->known.end(), fresh.begin(), fresh.end());
  return true;
}

PoolCounts KeyPool::counts(TimePoint now) {
  const MutexLock lock(state_->mutex);
  return state_->pool.counts(now);
}

OutageStatus KeyPool::outage() {
  const MutexLock lock(state_->mutex);
  return state_->pool.outage();
}

std::optional<KeyStatus> KeyPool::status(KeyId key, TimePoint now) {
  const MutexLock lock(state_->mutex);
  return state_->pool.status(key, now);
}

bool KeyPool::has(KeyId key) const {
  const MutexLock lock(state_->mutex);
  return state_->pool.has(key);
}

std::uint64_t KeyPool::account_of(KeyId key, std::uint64_t before) const {
  const MutexLock lock(state_->mutex);
  return state_->pool.account_of(key, before);
}

bool KeyPool::has_account(std::uint64_t account) const {
  const MutexLock lock(state_->mutex);
  return state_->pool.has_account(account);
}

void KeyPool::reset(std::span<const KeyId> keys, TimePoint now) {
  for (const KeyId key : keys) {
    const MutexLock lock(state_->mutex);
    state_->pool.reset(key, now);
  }
}

void KeyPool::reset_all(TimePoint now) {
  const MutexLock lock(state_->mutex);
  state_->pool.reset_all(now);
}

std::vector<KeyId> KeyPool::due_for_validation(std::size_t limit, TimePoint now) {
  const MutexLock lock(state_->mutex);
  return state_->pool.validation().due(limit, now);
}

Result<KeyLease> KeyPool::lease_for_validation(KeyId key, TimePoint now) {
  const MutexLock lock(state_->mutex);
  const auto claim = state_->pool.validation().take(key, now);
  if (!claim) return claim.error();
  return KeyLease(shared_from_this(), *claim);
}

void KeyPool::let_request_try(KeyId key, TimePoint now) {
  const MutexLock lock(state_->mutex);
  state_->pool.validation().let_request_try(key, now);
}

std::vector<KeyStateRecord> KeyPool::export_states(TimePoint now, WallTime wall) {
  const WallClock clock = WallClock::at(now, wall);
  std::vector<KeyStateRecord> rows;
  ExportCursor cursor;
  for (bool more = true; more;) {
    // Room is made without the lock.
    if (rows.capacity() - rows.size() < PoolRows::kExportRows) rows.reserve(2 * rows.size() + PoolRows::kExportRows);
    const MutexLock lock(state_->mutex);
    state_->pool.tick(now);
    more = state_->pool.rows().export_part(cursor, clock, rows);
  }
  return rows;
}

std::uint64_t KeyPool::version() {
  const MutexLock lock(state_->mutex);
  return state_->pool.version();
}

void KeyPool::import_states(std::span<const KeyStateRecord> rows, TimePoint now, WallTime wall) {
  const WallClock clock = WallClock::at(now, wall);
  while (!rows.empty()) {
    const std::size_t part = std::min(rows.size(), PoolRows::kExportRows);
    const MutexLock lock(state_->mutex);
    state_->pool.tick(now);
    for (const KeyStateRecord& row : rows.first(part)) state_->pool.import(row, clock);
    rows = rows.subspan(part);
  }
}

}  // namespace akr
