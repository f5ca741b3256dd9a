#include "store/sql/schema.hpp"

#include <array>

#include "base/strings.hpp"
#include "store/sql/columns.hpp"
#include "store/sql/migrations.hpp"
#include "store/sql/run_statement.hpp"

namespace akr {
namespace {

constexpr const char* kScrubbed = "scrubbed";

constexpr std::array<std::string_view, 7> kTables = {"akr_commits", "akr_migrations", "key_pins", "key_states",
                                                     "api_keys",    "proxy_configs",  "akr_meta"};

int to_int(const std::string& text) { return static_cast<int>(parse_u64(text).value_or(0)); }

}  // namespace

std::span<const std::string_view> our_tables() { return kTables; }

bool has_table(soci::session& session, const Dialect& dialect, const std::string& name) {
  int count = 0;
  run(session, dialect.table_exists, soci::use(name, "table"), soci::into(count));
  return count > 0;
}

SchemaState inspect_schema(soci::session& session, const Dialect& dialect, const KeyCipher& cipher) {
  SchemaState state;
  state.has_tables = has_table(session, dialect, "proxy_configs") || has_table(session, dialect, "api_keys");
  if (!has_table(session, dialect, "akr_meta")) return state;
  state.version = to_int(read_meta(session, "schema_version"));
  state.oldest_reader = to_int(read_meta(session, "oldest_reader"));
  state.copying = read_meta(session, "copying");
  state.foreign_migration = foreign_migration(session, dialect);
  if (state.version == kSchemaVersion) state.lacks_columns = !missing_columns(session, dialect, late_columns()).empty();
  const std::string check = read_meta(session, "key_check");
  // Nothing is sealed before the first migration is complete, and it may have been interrupted.
  if (state.version == 0 && check.empty()) return state;
  // A missing or damaged check counts as a wrong key: writing with a key that may be wrong could not be undone.
  state.key_fits = cipher.open(check, check_place()).has_value();
  return state;
}

Result<void> check_readable(const SchemaState& state) {
  if (state.oldest_reader > kSchemaVersion) {
    return Error{ErrorCode::kUnsupported,
                 "The database was written by a newer version (its schema is " + std::to_string(state.version) +
                     ", this version knows " + std::to_string(kSchemaVersion) +
                     ") and cannot be used by this one; start the newer version, or restore a copy from before."};
  }
  if (!state.foreign_migration.empty()) {
    return Error{ErrorCode::kUnsupported,
                 "Migration " + state.foreign_migration +
                     " of the database is not the one that this version knows; start the version that made it."};
  }
  if (!state.copying.empty()) {
    return Error{ErrorCode::kUnsupported,
                 "The database is being filled by copy-database, or that was interrupted; run it again to the end, or "
                 "drop the tables."};
  }
  return {};
}

void drop_schema(soci::session& session, const Dialect& dialect) {
  if (has_table(session, dialect, "akr_meta")) {
    write_meta(session, "schema_version", "0");
    run(session, "DELETE FROM akr_meta WHERE name = 'key_check'");
  }
  for (const std::string_view table : kTables) {
    if (has_table(session, dialect, std::string(table))) run(session, "DROP TABLE " + std::string(table));
  }
}

bool is_scrubbed(soci::session& session) { return read_meta(session, kScrubbed) == "1"; }
void note_scrubbed(soci::session& session) { write_meta(session, kScrubbed, "1"); }
void forget_scrubbed(soci::session& session) { write_meta(session, kScrubbed, "0"); }

std::string read_meta(soci::session& session, const std::string& name, std::string_view tail) {
  std::string value;
  run(session, "SELECT value FROM akr_meta WHERE name = :name" + std::string(tail), soci::use(name), soci::into(value));
  return session.got_data() ? value : "";
}

// No server's own word for "insert or update".
void write_meta(soci::session& session, const std::string& name, const std::string& value) {
  soci::statement update =
      prepared(session, "UPDATE akr_meta SET value = :value WHERE name = :name", soci::use(value), soci::use(name));
  update.execute(true);
  if (update.get_affected_rows() > 0) return;
  run(session, "INSERT INTO akr_meta (name, value) VALUES (:name, :value)", soci::use(name), soci::use(value));
}

}  // namespace akr
