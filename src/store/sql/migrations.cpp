#include "store/sql/migrations.hpp"

#include <array>

#include <sodium.h>

#include "base/clock.hpp"
#include "base/strings.hpp"
#include "store/sql/columns.hpp"
#include "store/sql/first_tables.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/schema.hpp"

namespace akr {
namespace {

// One row per KeyStateRecord; times in milliseconds since 1970.  No foreign key: a row may be written a moment after
// its key was deleted, and is removed at the next save.
constexpr std::string_view kKeyStates =
    "CREATE TABLE IF NOT EXISTS key_states (service_id {integer} NOT NULL, key_id {integer} NOT NULL,"
    " quota_group varchar(100) NOT NULL, model varchar(255) NOT NULL, state varchar(16) NOT NULL,"
    " reason varchar(100) NOT NULL, since_ms bigint NOT NULL, until_ms bigint NOT NULL, next_try_ms bigint NOT NULL,"
    " half_open {integer} NOT NULL, rate_level {integer} NOT NULL, quota_level {integer} NOT NULL,"
    " failures bigint NOT NULL, used_today bigint NOT NULL, used_this_month bigint NOT NULL,"
    " usage_at_ms bigint NOT NULL, PRIMARY KEY (service_id, key_id, quota_group, model)){table_end}";

// One row per KeyPin (store/key_pin_store.hpp).  No foreign key, for the same reason.
constexpr std::string_view kKeyPins =
    "CREATE TABLE IF NOT EXISTS key_pins (service_id {integer} NOT NULL, pin varchar(64) NOT NULL,"
    " key_service_id {integer} NOT NULL, key_id {integer} NOT NULL, expires_ms bigint NOT NULL,"
    " PRIMARY KEY (service_id, pin)){table_end}";
constexpr std::string_view kKeyPinsByEnd = "CREATE INDEX idx_key_pins_expires ON key_pins(expires_ms)";

constexpr std::string_view kCommits =
    "CREATE TABLE IF NOT EXISTS akr_commits (token varchar(32) NOT NULL PRIMARY KEY, at_ms bigint NOT NULL){table_end}";

constexpr std::string_view kMigrations =
    "CREATE TABLE IF NOT EXISTS akr_migrations (number {integer} NOT NULL PRIMARY KEY, name varchar(100) NOT NULL,"
    " checksum varchar(64) NOT NULL, made_at_ms bigint NOT NULL){table_end}";

// What keys may do, and what is made of failures.
void make_key_states(const MigrationStep& step) {
  add_columns(step.session, step.dialect, columns_of_version(2));
  run(step.session, render(kKeyStates, step.dialect));
}

// Several URLs, fallbacks, and things that belong to one key.
void make_pins(const MigrationStep& step) {
  add_columns(step.session, step.dialect, columns_of_version(3));
  run(step.session, render(kKeyPins, step.dialect));
  const std::string table = "key_pins", index = "idx_key_pins_expires";
  int count = 0;
  run(step.session, step.dialect.index_exists, soci::use(table, "table"), soci::use(index, "name"), soci::into(count));
  if (count == 0) run(step.session, kKeyPinsByEnd);
}

// What servers need: transactions whose COMMIT was not answered.
void make_commits(const MigrationStep& step) { run(step.session, render(kCommits, step.dialect)); }

std::string names_of(int version) {
  std::string names;
  for (const Column& column : columns_of_version(version)) {
    names += std::string(column.table) + "." + std::string(column.name) + " ";
  }
  return names;
}

constexpr std::array kList = {
    Migration{1, "first tables", make_first_tables, [] { return first_tables_text() + names_of(1); }},
    Migration{2, "key states", make_key_states, [] { return std::string(kKeyStates) + names_of(2); }},
    Migration{3, "pins", make_pins, [] { return std::string(kKeyPins) + std::string(kKeyPinsByEnd) + names_of(3); }},
    Migration{4, "commits", make_commits, [] { return std::string(kCommits); }},
};
static_assert(kList.back().number == kSchemaVersion);

void note(const MigrationStep& step, const Migration& migration) {
  long long number = migration.number, now = system_clock().wall().time_since_epoch().count();
  std::string name(migration.name), checksum = checksum_of(migration);
  run(step.session, "DELETE FROM akr_migrations WHERE number = :number", soci::use(number));
  run(step.session, "INSERT INTO akr_migrations (number, name, checksum, made_at_ms) VALUES (:n, :name, :sum, :now)",
      soci::use(number), soci::use(name), soci::use(checksum), soci::use(now));
}

}  // namespace

std::span<const Migration> migrations() { return kList; }

std::string checksum_of(const Migration& migration) {
  const std::string text = migration.text();
  unsigned char sum[16];
  ::crypto_generichash(sum, sizeof sum, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  return to_hex({reinterpret_cast<const char*>(sum), sizeof sum});
}

void make_migration(const MigrationStep& step, const Migration& migration) {
  if (!has_table(step.session, step.dialect, "akr_migrations")) {
    run(step.session, render(kMigrations, step.dialect));
    // Databases of the releases before the list was kept are noted as far as they have come.
    for (const Migration& made : kList) {
      if (made.number < migration.number) note(step, made);
    }
  }
  migration.make(step);
  note(step, migration);
  write_meta(step.session, "schema_version", std::to_string(migration.number));
}

void complete_columns(const MigrationStep& step) { add_columns(step.session, step.dialect, late_columns()); }

std::string foreign_migration(soci::session& session, const Dialect& dialect) {
  if (!has_table(session, dialect, "akr_migrations")) return "";
  long long number = 0;
  std::string name, checksum;
  soci::statement noted = prepared(session, "SELECT number, name, checksum FROM akr_migrations ORDER BY number",
                                   soci::into(number), soci::into(name), soci::into(checksum));
  std::string foreign;
  for (bool more = noted.execute(true); more; more = noted.fetch()) {
    for (const Migration& known : kList) {
      if (known.number != number || checksum_of(known) == checksum || !foreign.empty()) continue;
      foreign = std::to_string(number) + " (" + name + ")";
    }
  }
  return foreign;
}

}  // namespace akr
