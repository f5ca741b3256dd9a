#include "store/sql/sql_key_pin_store.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "base/strings.hpp"
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

// No server's own word for "insert or update": delete and insert mean the same everywhere.
void write_rows(soci::session& session, std::span<const KeyPin> pins) {
  Row row;
  soci::statement remove = prepared(session, "DELETE FROM key_pins WHERE service_id = :s AND pin = :p",
                                    soci::use(row.asked), soci::use(row.id));
  soci::statement add =
      prepared(session,
               "INSERT INTO key_pins (service_id, pin, key_service_id, key_id, expires_ms, owner, account)"
               " VALUES (:s, :p, :o, :k, :e, :w, :a)",
               soci::use(row.asked), soci::use(row.id), soci::use(row.service), soci::use(row.key),
               soci::use(row.expires), soci::use(row.owner), soci::use(row.account));
  for (const KeyPin& pin : pins) {
    row = {pin.asked.value,
           pin.to.service.value,
           pin.to.key.value,
           pin.expires.time_since_epoch().count(),
           static_cast<long long>(pin.owner),
           static_cast<long long>(pin.to.account),
           text_of(pin.id)};
    remove.execute(true);
    add.execute(true);
  }
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
    const auto batch = pins.first(std::min(pins.size(), kRowsPerTransaction));
    auto written = writer_.write([&](soci::session& session) -> Result<void> {
      write_rows(session, batch);
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
