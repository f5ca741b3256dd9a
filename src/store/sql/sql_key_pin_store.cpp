#include "store/sql/sql_key_pin_store.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "base/strings.hpp"
#include "store/sql/row_insert.hpp"
#include "store/sql/run_statement.hpp"

namespace akr {
namespace {

constexpr std::size_t kRowsPerTransaction = 1000;

std::string text_of(const PinId& id) {
  char bytes[16];
  std::memcpy(bytes, &id.high, 8);
  std::memcpy(bytes + 8, &id.low, 8);
  return to_hex({bytes, sizeof bytes});
}

std::optional<PinId> parse_id(const std::string& text) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != 16) return std::nullopt;
  PinId id;
  std::memcpy(&id.high, bytes->data(), 8);
  std::memcpy(&id.low, bytes->data() + 8, 8);
  return id;
}

Error locked_error() { return {ErrorCode::kLocked, "The database was written with another encryption key."}; }

// A pin in the types that SOCI binds.
struct Row {
  long long asked = 0, service = 0, key = 0, expires = 0, owner = 0, account = 0;
  std::string id;
};

const std::vector<InsertColumn> kColumns = {
    {"service_id", true}, {"pin"},         {"key_service_id", true}, {"key_id", true},
    {"expires_ms", true}, {"owner", true}, {"account", true}};

void write_rows(soci::session& session, const Dialect& dialect, std::span<const KeyPin> pins) {
  RowInsert rows(session, dialect, "key_pins", kColumns, {"service_id", "pin"});
  for (const KeyPin& pin : pins) {
    const std::span<Cell> row = rows.row();
    row[0] = number_cell(pin.asked.value);
    row[1] = text_cell(text_of(pin.id));
    row[2] = number_cell(pin.to.service.value);
    row[3] = number_cell(pin.to.key.value);
    row[4] = number_cell(pin.expires.time_since_epoch().count());
    row[5] = number_cell(static_cast<long long>(pin.owner));
    row[6] = number_cell(static_cast<long long>(pin.to.account));
    rows.add();
  }
  rows.finish();
}

// Of pins that were said twice, what was said last.
std::vector<KeyPin> without_repeats(std::span<const KeyPin> pins) {
  std::set<std::tuple<std::int64_t, std::uint64_t, std::uint64_t>> seen;
  std::vector<KeyPin> last;
  for (std::size_t i = pins.size(); i-- > 0;) {
    if (seen.emplace(pins[i].asked.value, pins[i].id.high, pins[i].id.low).second) last.push_back(pins[i]);
  }
  std::ranges::reverse(last);
  return last;
}

}  // namespace

Result<std::vector<KeyPin>> SqlKeyPinStore::load(WallTime now, std::size_t most) {
  return reader_.read([&](soci::session& session) -> Result<std::vector<KeyPin>> {
    Row row;
    const long long after = now.time_since_epoch().count();
    const auto limit = static_cast<long long>(most);
    soci::statement statement = prepared(
        session,
        "SELECT service_id, pin, key_service_id, key_id, expires_ms, owner, account FROM key_pins"
        " WHERE expires_ms > :after ORDER BY expires_ms DESC LIMIT :most",
        soci::into(row.asked), soci::into(row.id), soci::into(row.service), soci::into(row.key),
        soci::into(row.expires), soci::into(row.owner), soci::into(row.account), soci::use(after), soci::use(limit));
    std::vector<KeyPin> pins;
    for (bool more = statement.execute(true); more; more = statement.fetch()) {
      const auto id = parse_id(row.id);
      if (!id) continue;
      pins.push_back({ServiceId{row.asked},
                      *id,
                      {ServiceId{row.service}, KeyId{row.key}, static_cast<std::uint64_t>(row.account)},
                      WallTime(std::chrono::milliseconds(row.expires)),
                      static_cast<std::uint64_t>(row.owner)});
    }
    std::reverse(pins.begin(), pins.end());
    return pins;
  });
}

Result<void> SqlKeyPinStore::save(std::span<const KeyPin> pins) {
  if (locked_) return locked_error();
  for (; !pins.empty(); pins = pins.subspan(std::min(pins.size(), kRowsPerTransaction))) {
    const auto batch = without_repeats(pins.first(std::min(pins.size(), kRowsPerTransaction)));
    auto written = writer_.write([&](soci::session& session) -> Result<void> {
      write_rows(session, backend_.dialect(), batch);
      return {};
    });
    if (!written) return written;
  }
  return {};
}

Result<std::size_t> SqlKeyPinStore::remove_before(WallTime time, std::size_t most) {
  if (locked_) return locked_error();
  // Only some servers have a LIMIT for DELETE; the time of the last row to go says the same everywhere.
  return writer_.write([&](soci::session& session) -> Result<std::size_t> {
    const long long before = time.time_since_epoch().count();
    const auto skip = static_cast<long long>(most == 0 ? 0 : most - 1);
    long long last = before - 1;
    long long found = 0;
    run(session, "SELECT expires_ms FROM key_pins WHERE expires_ms < :t ORDER BY expires_ms LIMIT 1 OFFSET :n",
        soci::use(before), soci::use(skip), soci::into(found));
    if (session.got_data()) last = found;
    soci::statement remove = prepared(session, "DELETE FROM key_pins WHERE expires_ms <= :t", soci::use(last));
    remove.execute(true);
    return static_cast<std::size_t>(remove.get_affected_rows());
  });
}

}  // namespace akr
