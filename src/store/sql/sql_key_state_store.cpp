#include "store/sql/sql_key_state_store.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/utf8.hpp"
#include "store/sql/row_insert.hpp"

namespace akr {
namespace {

constexpr std::size_t kRowsPerTransaction = 1000;
constexpr std::size_t kLongestModel = 255;   // bytes; the column counts characters
constexpr std::size_t kLongestReason = 100;  // bytes

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
    reason = cut_utf8(record.reason, kLongestReason);
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
constexpr std::array<const char*, 16> kColumns = {"service_id",  "key_id",     "quota_group",     "model",
                                                  "state",       "reason",     "since_ms",        "until_ms",
                                                  "next_try_ms", "half_open",  "rate_level",      "quota_level",
                                                  "failures",    "used_today", "used_this_month", "usage_at_ms"};

void set_cell(Cell& cell, long long number) { cell = number_cell(number); }
void set_cell(Cell& cell, const std::string& text) { cell = text_cell(text); }

std::vector<InsertColumn> insert_columns() {
  std::vector<InsertColumn> columns;
  Row row;
  row.each([&](auto& value) {
    columns.push_back({kColumns[columns.size()], std::is_same_v<std::remove_reference_t<decltype(value)>, long long>});
  });
  return columns;
}

// Clients choose the model's name.  What some server would refuse, or cut, is known to this process only.
bool can_be_kept(const KeyStateRecord& record) {
  return record.model.find('\0') == std::string::npos && is_utf8(record.model) && record.model.size() <= kLongestModel;
}

void insert_rows(soci::session& session, const Dialect& dialect, ServiceId service,
                 std::span<const KeyStateRecord> records) {
  RowInsert rows(session, dialect, "key_states", insert_columns(), {"service_id", "key_id", "quota_group", "model"});
  std::set<std::tuple<std::int64_t, std::string_view, std::string_view>> seen;
  // Of records that were given twice, what was said last.
  for (std::size_t i = records.size(); i-- > 0;) {
    const KeyStateRecord& record = records[i];
    if (!can_be_kept(record) || !seen.emplace(record.key.value, record.group, record.model).second) continue;
    Row row;
    row.service = service.value;
    row.set(record);
    auto cell = rows.row().begin();
    row.each([&](auto& value) { set_cell(*cell++, value); });
    rows.add();
  }
  rows.finish();
}

void remove_rows(soci::session& session, ServiceId service, std::span<const KeyStateRecord> records) {
  Row row;
  row.service = service.value;
  soci::statement remove = prepared(session, kDelete, soci::use(row.service), soci::use(row.key), soci::use(row.group),
                                    soci::use(row.model));
  for (const KeyStateRecord& record : records) {
    if (!can_be_kept(record)) continue;
    row.set(record);
    remove.execute(true);
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
        insert ? insert_rows(session, backend_.dialect(), service, batch) : remove_rows(session, service, batch);
        return {};
      });
      if (!written) return written;
    }
  }
  return {};
}

}  // namespace akr
