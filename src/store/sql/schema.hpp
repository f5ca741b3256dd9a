// schema.hpp - how the tables come to be, from nothing, from the original's database or from an older one of ours.
//
//   akr_meta(name, value)   schema_version   what the tables look like
//                           oldest_reader    the oldest schema_version a program may know and still use the database
//                           key_check        sealed with the encryption key; opens only with the right one
//                           scrubbed         nothing of keys that were plain once is left in the files; absent: it may
//                           be last_probe       when a small write was tried after one that had failed next_key_id
//                           api_keys.id of the next key: known before the row is sealed for its id
#pragma once

#include <string>

#include "base/result.hpp"
#include "store/key_cipher.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

constexpr int kSchemaVersion = 3;

struct SchemaState {
  bool current() const { return version >= kSchemaVersion && !lacks_columns; }

  bool has_tables = false;  // of ours or of the original
  int version = 0;          // 0: none of ours
  int oldest_reader = 0;
  bool lacks_columns = false;  // of a field that is newer than the database
  bool key_fits = true;        // the encryption key is the one of this database, or there is none yet
};

// All throw soci::soci_error.
SchemaState inspect_schema(soci::session& session, const Dialect& dialect, const KeyCipher& cipher);

// Brings the tables from `version` to kSchemaVersion, with a column for each listed field.  REQUIRES: inside a write
// transaction, so that a process that is killed in any statement leaves the old state behind and the next one starts
// over.
void migrate_schema(soci::session& session, const Dialect& dialect, const KeyCipher& cipher, int version);

// Removes all tables.  REQUIRES: inside a write transaction.
void drop_schema(soci::session& session, const Dialect& dialect);

bool is_scrubbed(soci::session& session);
void note_scrubbed(soci::session& session);
void forget_scrubbed(soci::session& session);

std::string read_meta(soci::session& session, const std::string& name);  // "" if absent
void write_meta(soci::session& session, const std::string& name, const std::string& value);

}  // namespace akr
