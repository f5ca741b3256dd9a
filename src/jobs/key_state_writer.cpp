#include "jobs/key_state_writer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace akr {
namespace {

// The pool keeps steady times; each export turns them into wall times again, a little differently.
constexpr std::chrono::seconds kSameTime{2};

bool about_equal(WallTime a, WallTime b) { return a - b < kSameTime && b - a < kSameTime; }

bool worth_writing(const KeyStateRecord& stored, const KeyStateRecord& row) {
  const bool same = stored.state == row.state && stored.reason == row.reason && about_equal(stored.since, row.since) &&
                    about_equal(stored.until, row.until) && about_equal(stored.next_try, row.next_try) &&
                    stored.half_open == row.half_open && stored.rate_level == row.rate_level &&
                    stored.quota_level == row.quota_level && stored.failures == row.failures &&
                    stored.used_today == row.used_today && stored.used_this_month == row.used_this_month;
  return !same;  // usage_at is the time of the export, and says nothing by itself
}

}  // namespace

KeyStateWriter::KeyStateWriter(KeyStateStore& store, ServicePools pools, const Clock& clock)
    : store_(store), pools_(std::move(pools)), clock_(clock) {}

Result<void> KeyStateWriter::restore() {
  const std::vector<ServicePool> pools = pools_();
  Result<void> first;
  MutexLock lock(mutex_);
  for (const ServicePool& pool : pools) {
    if (auto followed = follow(pool); !followed && first) first = followed.error();
  }
  return first;
}

Result<void> KeyStateWriter::write_changes() {
  const std::vector<ServicePool> pools = pools_();
  Result<void> first;
  MutexLock lock(mutex_);
  for (const ServicePool& pool : pools) {
    if (auto written = write(pool); !written && first) first = written;
  }
  forget_missing(pools);
  return first;
}

Result<KeyStateWriter::Followed*> KeyStateWriter::follow(const ServicePool& pool) {
  Followed& followed = followed_[pool.service];
  if (followed.pool.lock() == pool.keys) return &followed;
  followed = {};
  auto rows = store_.load(pool.service);
  if (!rows) return rows.error();
  pool.keys->import_states(*rows, clock_.now(), clock_.wall());
  for (KeyStateRecord& row : *rows) {
    RowKey key{row.key.value, row.group, row.model};
    followed.stored.insert_or_assign(std::move(key), std::move(row));
  }
  followed.pool = pool.keys;
  return &followed;
}

Result<void> KeyStateWriter::write(const ServicePool& pool) {
  auto found = follow(pool);
  if (!found) return found.error();
  Followed& followed = **found;
  const std::uint64_t version = pool.keys->version();
  if (!followed.dirty && version == followed.version) return {};
  followed.dirty = true;
  std::map<RowKey, KeyStateRecord> now;
  for (KeyStateRecord& row : pool.keys->export_states(clock_.now(), clock_.wall())) {
    RowKey key{row.key.value, row.group, row.model};
    now.insert_or_assign(std::move(key), std::move(row));
  }
  std::vector<KeyStateRecord> changed, gone;
  for (auto& [key, row] : now) {
    const auto before = followed.stored.find(key);
    const bool write = before == followed.stored.end() || worth_writing(before->second, row);
    if (write) {
      changed.push_back(row);
    } else {
      row = before->second;  // what is stored stays the measure, so that small differences cannot add up
    }
  }
  for (const auto& [key, row] : followed.stored) {
    if (!now.contains(key)) gone.push_back(row);
  }
  if (!changed.empty() || !gone.empty()) {
    if (auto saved = store_.save(pool.service, changed, gone); !saved) return saved;
  }
  followed.stored = std::move(now);
  followed.version = version;  // read before the export: what happened meanwhile is written next time
  followed.dirty = false;
  return {};
}

// The rows of a deleted service went with it.
void KeyStateWriter::forget_missing(const std::vector<ServicePool>& present) {
  std::erase_if(followed_, [&](const auto& each) {
    return std::none_of(present.begin(), present.end(),
                        [&](const ServicePool& pool) { return pool.service == each.first; });
  });
}

}  // namespace akr
