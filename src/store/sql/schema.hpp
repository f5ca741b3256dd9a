// schema.hpp - what state the tables of a database are in, and the few values that it keeps about itself.
//
//   akr_meta(name, value)   schema_version   the last of the migrations (migrations.hpp) that was made
//                           oldest_reader    the oldest schema_version a program may know and still use the database
//                           key_check        sealed with the encryption key; opens only with the right one
//                           scrubbed         nothing of keys that were plain once is left in the files; absent: it may
//                           last_probe       when a small write was tried after one that had failed
//                           next_key_id      api_keys.id of the next key: known before the row is sealed for its id
//                           upgrade_copy     the copy that was made for an upgrade which is not through yet
//                           copying          this database is being filled from another one (database_copy.hpp)
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/key_cipher.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

constexpr int kSchemaVersion = 4;

struct SchemaState {
  bool current() const { return version >= kSchemaVersion && !lacks_columns; }

  bool has_tables = false;  // of ours or of the original
  int version = 0;          // 0: none of ours, or the first migration was interrupted
  int oldest_reader = 0;
  bool lacks_columns = false;     // of a field that is newer than the database
  bool key_fits = true;           // the encryption key is the one of this database, or there is none yet
  std::string foreign_migration;  // one that was made here, and that this program knows by another text
  std::string copying;            // where from
};

// All tables that are ours, those that others refer to last.
std::span<const std::string_view> our_tables();

// All throw soci::soci_error.
SchemaState inspect_schema(soci::session& session, const Dialect& dialect, const KeyCipher& cipher);
// kUnsupported: written by a version that this one cannot follow.
Result<void> check_readable(const SchemaState& state);

bool has_table(soci::session& session, const Dialect& dialect, const std::string& name);
inline constexpr const char* kUpgradeCopy = "upgrade_copy";
inline constexpr std::string_view kReset = "reset";  // SqlBackend::keep_copy(): before all tables are removed

// Removes all tables.  REQUIRES: inside a write transaction.  Cut off where the server commits each statement, it
// leaves a database whose first migration has to be made.
void drop_schema(soci::session& session, const Dialect& dialect);

bool is_scrubbed(soci::session& session);
void note_scrubbed(soci::session& session);
void forget_scrubbed(soci::session& session);

// "" if absent.  `tail`: behind the SELECT (Dialect::lock_rows).
std::string read_meta(soci::session& session, const std::string& name, std::string_view tail = "");
void write_meta(soci::session& session, const std::string& name, const std::string& value);

}  // namespace akr
