#include "store/sql/row_insert.hpp"

#include <utility>

namespace akr {
namespace {

std::vector<std::string> names_of(std::span<const InsertColumn> columns) {
  std::vector<std::string> names;
  for (const InsertColumn& column : columns) names.push_back(column.name);
  return names;
}

}  // namespace

RowInsert::RowInsert(soci::session& session, const Dialect& dialect, std::string table,
                     std::vector<InsertColumn> columns, std::vector<std::string> keys)
    : session_(session),
      dialect_(dialect),
      table_(std::move(table)),
      columns_(std::move(columns)),
      keys_(std::move(keys)),
      cells_(columns_.size() * dialect.rows_per_insert) {}

std::span<Cell> RowInsert::row() { return std::span(cells_).subspan(filled_ * columns_.size(), columns_.size()); }

void RowInsert::add() {
  if (++filled_ < dialect_.rows_per_insert) return;
  if (!full_) {
    full_.emplace(session_);
    prepare(*full_, filled_);
  }
  full_->execute(true);
  forget();
}

void RowInsert::finish() {
  if (filled_ == 0) return;
  soci::statement rest(session_);
  prepare(rest, filled_);
  rest.execute(true);
  forget();
}

void RowInsert::prepare(soci::statement& statement, std::size_t rows) {
  for (std::size_t i = 0; i < rows * columns_.size(); ++i) {
    Cell& cell = cells_[i];
    if (columns_[i % columns_.size()].is_number) {
      statement.exchange(soci::use(cell.number, cell.state));
    } else {
      statement.exchange(soci::use(cell.text, cell.state));
    }
  }
  statement.alloc();
  statement.prepare(insert_text(dialect_, table_, names_of(columns_), keys_, rows));
  statement.define_and_bind();
}

// The rows are there: their cells are free for others.
void RowInsert::forget() {
  for (std::size_t i = 0; i < filled_ * columns_.size(); ++i) cells_[i].state = soci::i_null;
  filled_ = 0;
}

}  // namespace akr
