// row_insert.hpp - many rows into one table, in as few statements as the server likes.
//
//   RowInsert insert(session, dialect, "key_pins", {{"service_id", true}, {"pin", false}}, {"service_id", "pin"});
//   for (...) { insert.row()[0] = ...; insert.row()[1] = ...; insert.add(); }
//   insert.finish();
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <soci/soci.h>

#include "store/sql/dialect.hpp"
#include "store/sql/field_cells.hpp"

namespace akr {

struct InsertColumn {
  std::string name;
  bool is_number = false;
};

// All of it throws soci::soci_error, and REQUIRES a write transaction.
class RowInsert {
 public:
  // With `keys`, a row takes the place of one that has the same values there.  No two rows of one RowInsert may be
  // alike in them: some servers refuse that.
  RowInsert(soci::session& session, const Dialect& dialect, std::string table, std::vector<InsertColumn> columns,
            std::vector<std::string> keys = {});

  std::span<Cell> row();  // the next one, in the order of the columns; what is not set is NULL
  void add();             // row() is complete
  void finish();          // writes what is left

 private:
  void prepare(soci::statement& statement, std::size_t rows);
  void forget();

  soci::session& session_;
  const Dialect& dialect_;
  const std::string table_;
  const std::vector<InsertColumn> columns_;
  const std::vector<std::string> keys_;
  std::vector<Cell> cells_;
  std::size_t filled_ = 0;               // rows
  std::optional<soci::statement> full_;  // writes rows_per_insert of them
};

inline Cell number_cell(long long number) { return {number, "", soci::i_ok}; }
inline Cell text_cell(std::string text) { return {0, std::move(text), soci::i_ok}; }

}  // namespace akr
