// migrations.hpp - THE list of migrations: how the tables come to be what they are, one step after the other.
//
// A migration that was released is never edited: akr_migrations keeps a checksum of its text in every database, and a
// program that knows another text by that number does not touch it.  What is added to the list is only ever an addition
// (so that the version before goes on working) or raises oldest_reader.  Columns of new fields need no migration: they
// are added wherever they are missing (columns.hpp).
//
//   akr_migrations(number, name, checksum, made_at_ms)
//   akr_commits(token, at_ms)                             sql_sessions.hpp
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "store/key_cipher.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

struct MigrationStep {
  soci::session& session;
  const Dialect& dialect;
  const KeyCipher& cipher;
};

struct Migration {
  int number = 0;
  std::string_view name;
  // May be run again after it was interrupted in any statement: some servers commit each one by itself.  Throws
  // soci::soci_error.
  void (*make)(const MigrationStep&);
  std::string (*text)();  // what identifies it
};

std::span<const Migration> migrations();  // by number, from 1
std::string checksum_of(const Migration& migration);

// Makes one and notes it.  REQUIRES: inside a write transaction; the one before was made.  Throws soci::soci_error.
void make_migration(const MigrationStep& step, const Migration& migration);
// Adds what columns are missing.  The same rules.
void complete_columns(const MigrationStep& step);

// "2 (failures)" if the database notes one of ours with another checksum; "".  Throws soci::soci_error.
std::string foreign_migration(soci::session& session, const Dialect& dialect);

}  // namespace akr
