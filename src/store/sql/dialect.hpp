// dialect.hpp - the words in which SQL servers differ.
//
// Statements are written once, in words that all of them know, and with {names} of this list where they differ:
//
//   render("CREATE TABLE t (id {auto_id}, size {integer} NOT NULL){table_end}", dialect)
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace akr {

enum class Upsert { kOnConflict, kOnDuplicateKey };

struct Dialect {
  // ---- types and ends of definitions, as {name}
  std::string_view auto_id;  // a primary key whose numbers are never given out twice
  std::string_view integer;  // holds 64 bits wherever rows may be about ids
  std::string_view flag;     // 1 or 0, and 1 unless something is said
  std::string_view time;
  std::string_view text;  // of any length
  std::string_view name;  // text with a unique index: up to 100 characters, compared byte by byte
  std::string_view word;  // up to 50 characters; may have a default
  std::string_view table_end;

  // ---- questions; parameters :table and :name
  std::string_view table_exists;  // a count
  std::string_view table_names;   // all of them
  std::string_view column_names;  // of a table
  std::string_view index_exists;  // a count
  std::string_view last_id;       // the number that the last INSERT of this session got; "": returning_id says it
  std::string_view returning_id;  // behind an INSERT

  // ---- transactions
  std::string_view begin_write;   // takes the write lock at once where a transaction might fail half-way for it
  std::string_view lock_rows;     // behind a SELECT of rows that are written next
  std::string_view lock_upgrade;  // waits until no other session upgrades the tables; "": begin_write does
  std::string_view raise_ids;     // so that proxy_configs gives out no id that is there; "": it does not anyway
  std::span<const std::string_view> adopt_tables;  // makes the original's own columns wide and exact enough
  std::string_view copy_table;    // {from}, {to}: one table with everything in it again, ";" between statements
  std::string_view rewrite_keys;  // {table}: so that nothing of rows that were replaced stays in its file

  Upsert upsert = Upsert::kOnConflict;
  std::size_t rows_per_insert = 1;  // more where each statement is a way to the server and back
  bool times_have_zones = true;     // else they are UTC
  bool is_server = false;           // somebody else may write, and a connection can be lost
};

// Replaces the {names} of types and ends.
std::string render(std::string_view statement, const Dialect& dialect);

// "INSERT INTO table (columns) VALUES (:c0, ...), (...)" of so many rows; with `keys`, rows of the same key take the
// other columns' new values.
std::string insert_text(const Dialect& dialect, std::string_view table, std::span<const std::string> columns,
                        std::span<const std::string> keys, std::size_t rows);

}  // namespace akr
