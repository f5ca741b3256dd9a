#include "store/sql/sql_key_state_store.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace akr {
namespace {

constexpr std::size_t kRowsPerTransaction = 1000;

std::optional<KeyState> state_named(std::string_view name) {
  for (const KeyState state : {KeyState::kActive, KeyState::kCooling, KeyState::kExhausted, KeyState::kInvalid}) {
    if (to_string(state) == name) return state;
  }
  return std::nullopt;
}

long long millis(WallTime time) { return time.time_since_epoch().count(); }
WallTime wall(long long millis) { return WallTime(std::chrono::milliseconds(millis)); }

// A record in the types that SOCI binds.
struct Row {
  long long service = 0, key = 0;
  std::string group, model, state, reason;
  long long since = 0, until = 0, next_try = 0, half_open = 0, rate_level = 0, quota_level = 0, failures = 0;
  long long used_today = 0, used_this_month = 0, usage_at = 0;

  // In the order of the tables' columns.
  template <class Visit>
  void each(Visit visit) {
    visit(service), visit(key), visit(group), visit(model), visit(state), visit(reason);
    visit(since), visit(until), visit(next_try), visit(half_open), visit(rate_level), visit(quota_level);
    visit(failures), visit(used_today), visit(used_this_month), visit(usage_at);
  }

  void set(const KeyStateRecord& record) {
    key = record.key.value;
    group = record.group;
    model = record.model;
    state = to_string(record.state);
    reason = record.reason;
    since = millis(record.since);
    until = millis(record.until);
    next_try = millis(record.next_try);
    half_open = record.half_open;
    rate_level = record.rate_level;
    quota_level = record.quota_level;
    failures = record.failures;
    used_today = static_cast<long long>(record.used_today);
    used_this_month = static_cast<long long>(record.used_this_month);
    usage_at = millis(record.usage_at);
  }

  std::optional<KeyStateRecord> record() const {
    const auto known = state_named(state);
    if (!known) return std::nullopt;
    KeyStateRecord out{.key = KeyId{key}, .group = group, .model = model, .state = *known, .reason = reason};
    out.since = wall(since);
    out.until = wall(until);
    out.next_try = wall(next_try);
    out.half_open = half_open != 0;
    out.rate_level = static_cast<std::uint32_t>(rate_level);
    out.quota_level = static_cast<std::uint32_t>(quota_level);
    out.failures = static_cast<std::uint32_t>(failures);
    out.used_today = static_cast<std::uint64_t>(used_today);
    out.used_this_month = static_cast<std::uint64_t>(used_this_month);
    out.usage_at = wall(usage_at);
    return out;
  }
};

constexpr const char* kSelect =
    "SELECT service_id, key_id, quota_group, model, state, reason, since_ms, until_ms, next_try_ms, half_open,"
    " rate_level, quota_level, failures, used_today, used_this_month, usage_at_ms FROM key_states"
    " WHERE service_id = :wanted";
constexpr const char* kDelete =
    "DELETE FROM key_states WHERE service_id = :s AND key_id = :k AND quota_group = :g AND model = :m";
constexpr const char* kInsert =
    "INSERT INTO key_states (service_id, key_id, quota_group, model, state, reason, since_ms, until_ms, next_try_ms,"
    " half_open, rate_level, quota_level, failures, used_today, used_this_month, usage_at_ms)"
    " VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j, :k, :l, :m, :n, :o, :p)";

// No server's own word for "insert or update": delete and insert mean the same everywhere.
void write_rows(soci::session& session, ServiceId service, std::span<const KeyStateRecord> records, bool insert) {
  Row row;
  row.service = service.value;
  soci::statement remove = prepared(session, kDelete, soci::use(row.service), soci::use(row.key), soci::use(row.group),
                                    soci::use(row.model));
  soci::statement add(session);
  row.each([&](auto& column) { add.exchange(soci::use(column)); });
  add.alloc();
  add.prepare(kInsert);
  add.define_and_bind();
  for (const KeyStateRecord& record : records) {
    row.set(record);
    remove.execute(true);
    if (insert) add.execute(true);
  }
}

}  // namespace

Result<std::vector<KeyStateRecord>> SqlKeyStateStore::load(ServiceId service) {
  return reader_.read([&](soci::session& session) -> Result<std::vector<KeyStateRecord>> {
    Row row;
    long long wanted = service.value;
    soci::statement statement(session);
    row.each([&](auto& column) { statement.exchange(soci::into(column)); });
    statement.exchange(soci::use(wanted));
    statement.alloc();
    statement.prepare(kSelect);
    statement.define_and_bind();
    std::vector<KeyStateRecord> records;
    for (bool more = statement.execute(true); more; more = statement.fetch()) {
      if (auto record = row.record()) records.push_back(*std::move(record));
    }
    return records;
  });
}

Result<void> SqlKeyStateStore::save(ServiceId service, std::span<const KeyStateRecord> changed,
                                    std::span<const KeyStateRecord> gone) {
  if (locked_) return Error{ErrorCode::kLocked, "The database was written with another encryption key."};
  for (auto [records, insert] : {std::pair{gone, false}, std::pair{changed, true}}) {
    for (; !records.empty(); records = records.subspan(std::min(records.size(), kRowsPerTransaction))) {
      const auto batch = records.first(std::min(records.size(), kRowsPerTransaction));
      auto written = writer_.write([&, insert = insert](soci::session& session) -> Result<void> {
        write_rows(session, service, batch, insert);
        return {};
      });
      if (!written) return written;
    }
  }
  return {};
}

}  // namespace akr
