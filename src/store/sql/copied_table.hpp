// copied_table.hpp - the tables that a copy of a database is made of, read page by page and compared by checksum.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <soci/soci.h>

#include "store/sql/dialect.hpp"
#include "store/sql/field_cells.hpp"

namespace akr {

enum class CellKind { kNumber, kText, kTime };

struct CopiedColumn {
  std::string name;
  CellKind kind = CellKind::kText;
};

struct TableShape {
  std::string name;
  std::vector<CopiedColumn> columns;  // the key's first
  std::size_t keys = 1;

  bool is_number(std::size_t column) const { return columns[column].kind == CellKind::kNumber; }
};

using TableRow = std::vector<Cell>;  // in the order of the columns

// Those that hold what people and pools have put there, in an order in which they can be filled.
std::vector<TableShape> copied_tables();

// The next rows by key, of at most kRowsPerPage; fewer: these were the last.  `after`: the key of the last one before,
// or nothing.  Throws soci::soci_error.
constexpr std::size_t kRowsPerPage = 2'000;
std::vector<TableRow> read_page(soci::session& session, const TableShape& table, std::span<const Cell> after);

// Times as `dialect` writes them; everything else stays.
void adapt_times(TableRow& row, const TableShape& table, const Dialect& dialect);

// How many rows, and a sum of their hashes (BLAKE2b, 128 bits each) that is the same in whatever order they come and
// however a server writes its times.
struct TableSum {
  std::uint64_t rows = 0, low = 0, high = 0;
  friend bool operator==(const TableSum&, const TableSum&) = default;
};
void add_row(TableSum& sum, const TableShape& table, const TableRow& row);

}  // namespace akr
