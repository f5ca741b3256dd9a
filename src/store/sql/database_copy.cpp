#include "store/sql/database_copy.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.hpp"
#include "store/sql/columns.hpp"
#include "store/sql/make_backend.hpp"
#include "store/sql/row_insert.hpp"
#include "store/sql/sql_preparation.hpp"

namespace akr {
namespace {

constexpr const char* kMarker = "copying";
constexpr SessionLimits kOneSession{.most = 1, .patience = {.lock = std::chrono::hours(1)}, .tells = false};

Error on_side(Error error, const char* side) {
  error.field = side;
  return error;
}

std::vector<InsertColumn> insert_columns(const TableShape& table) {
  std::vector<InsertColumn> columns;
  columns.reserve(table.columns.size());
  for (const CopiedColumn& column : table.columns) columns.push_back({column.name, column.kind == CellKind::kNumber});
  return columns;
}

}  // namespace

DatabaseCopy::DatabaseCopy(std::unique_ptr<SqlBackend> from, std::unique_ptr<SqlBackend> to, const KeyCipher& cipher,
                           const CopyProgress& progress)
    : from_backend_(std::move(from)),
      to_backend_(std::move(to)),
      cipher_(cipher),
      progress_(progress),
      from_(*from_backend_, kOneSession),
      to_(*to_backend_, kOneSession) {}

Result<std::vector<CopiedTable>> DatabaseCopy::run() {
  if (auto ready = prepare_source(); !ready) return on_side(ready.error(), "from");
  if (auto ready = prepare_target(); !ready) return on_side(ready.error(), "to");
  std::vector<CopiedTable> tables;
  // A second time from the start, should the source have changed between the parts of an interrupted copy.
  for (int tries = resumed_ ? 2 : 1;; --tries) {
    if (auto copied = copy_all(); !copied) return copied.error();
    const auto same = compare(tables);
    if (!same) return same.error();
    if (*same) {
      if (auto finished = finish(); !finished) return on_side(finished.error(), "to");
      return tables;
    }
    if (tries == 1) break;
    if (auto begun = begin_anew(); !begun) return on_side(begun.error(), "to");
  }
  return Error{
      .code = ErrorCode::kConflict,
      .message = "The copy differs from " + from_backend_->where() +
                 ": one of the two was written to meanwhile. Stop the gateways that use them, empty the target, "
                 "and copy again.",
      .field = "from"};
}

Result<void> DatabaseCopy::prepare_source() {
  const auto fits = SqlPreparation(*from_backend_, cipher_, kOneSession.patience.reach).prepare(Purpose::kRead);
  if (!fits) return fits.error();
  if (!*fits) return Error{ErrorCode::kLocked, "The encryption key is not that of " + from_backend_->where() + "."};
  const auto id =
      from_.read([](soci::session& session) -> Result<std::string> { return read_meta(session, "key_check"); });
  if (!id) return id.error();
  source_id_ = *id;
  return refuse_unknown_columns();
}

// A newer version may have added some; what they hold would be left behind without a word.
Result<void> DatabaseCopy::refuse_unknown_columns() {
  return from_.read([this](soci::session& session) -> Result<void> {
    for (const TableShape& table : tables_) {
      for (const std::string& name : column_names(session, from_backend_->dialect(), table.name)) {
        if (std::ranges::find(table.columns, name, &CopiedColumn::name) != table.columns.end()) continue;
        return Error{ErrorCode::kUnsupported, "The table " + table.name + " of " + from_backend_->where() +
                                                  " has a column \"" + name +
                                                  "\" that this version does not know; use the "
                                                  "version that made it, or drop the column."};
      }
    }
    return {};
  });
}

// Empty, or where a copy of the same source was interrupted.
Result<void> DatabaseCopy::prepare_target() {
  SqlPreparation preparation(*to_backend_, cipher_, kOneSession.patience.reach);
  auto found = preparation.look();
  if (!found) return found.error();
  found_marker_ = found->copying;
  resumed_ = !found_marker_.empty();
  found->copying.clear();
  if (auto readable = check_readable(*found); !readable) return readable;
  if (!found_marker_.empty() && !read_marker(found_marker_, tables_)) {
    return Error{ErrorCode::kConflict, to_backend_->where() +
                                           " is being filled from another database; finish that copy, or drop the "
                                           "tables."};
  }
  if (found_marker_.empty()) {
    if (auto empty = refuse_filled(*found); !empty) return empty;
  }
  if (auto upgraded = preparation.upgrade(); !upgraded) return upgraded;
  return found_marker_.empty() ? begin() : Result<void>();
}

// Before anything is changed in it.
Result<void> DatabaseCopy::refuse_filled(const SchemaState& found) {
  if (!found.has_tables) return {};
  for (const TableShape& table : tables_) {
    const auto is_there = to_.read(
        [&](soci::session& session) -> Result<bool> { return has_table(session, to_backend_->dialect(), table.name); });
    if (!is_there) return is_there.error();
    const auto rows = *is_there ? count(to_, table) : Result<std::uint64_t>(0);
    if (!rows) return rows.error();
    if (*rows == 0) continue;
    return Error{ErrorCode::kConflict, to_backend_->where() + " holds something already (" + table.name + ": " +
                                           std::to_string(*rows) + " rows); name an empty database."};
  }
  return {};
}

// Nothing is removed from a target that we found empty: what is there meanwhile, somebody else has written, and the
// copy will be refused for it.
Result<void> DatabaseCopy::begin() {
  return to_.write([this](soci::session& session) -> Result<void> {
    found_marker_ = marker(nullptr, nullptr);
    write_meta(session, kMarker, found_marker_);
    return {};
  });
}

// What an earlier call copied, of a source that has changed since.
Result<void> DatabaseCopy::begin_anew() {
  auto removed = to_.write([this](soci::session& session) -> Result<void> {
    for (auto table = tables_.rbegin(); table != tables_.rend(); ++table) {
      akr::run(session, "DELETE FROM " + table->name);
    }
    return {};
  });
  return removed ? begin() : removed;
}

Result<void> DatabaseCopy::copy_all() {
  const std::optional<Place> place = read_marker(found_marker_, tables_);
  bool reached = !place || place->table.empty();
  for (const TableShape& table : tables_) {
    const bool resumes = !reached && place->table == table.name;
    if (!reached && !resumes) continue;
    reached = true;
    if (auto copied = copy_table(table, resumes ? place->after : std::vector<Cell>{}); !copied) return copied;
  }
  return take_over_meta();
}

Result<void> DatabaseCopy::copy_table(const TableShape& table, std::vector<Cell> after) {
  const auto all = count(from_, table);
  if (!all) return on_side(all.error(), "from");
  auto done = after.empty() ? Result<std::uint64_t>(0) : count(to_, table);
  if (!done) return on_side(done.error(), "to");
  for (bool more = true; more;) {
    auto rows = from_.read(
        [&](soci::session& session) -> Result<std::vector<TableRow>> { return read_page(session, table, after); });
    if (!rows) return on_side(rows.error(), "from");
    more = rows->size() == kRowsPerPage;
    if (rows->empty()) break;
    after.assign(rows->back().begin(), rows->back().begin() + static_cast<std::ptrdiff_t>(table.keys));
    if (auto written = write(table, *rows); !written) return on_side(in_use(written.error()), "to");
    *done += rows->size();
    if (progress_) progress_(table.name, *done, *all);
  }
  return {};
}

Error DatabaseCopy::in_use(Error error) const {
  if (error.code == ErrorCode::kConflict) {
    error.message = to_backend_->where() +
                    " was written to meanwhile. Stop the gateways that use it, and name an empty "
                    "database.";
  }
  return error;
}

Result<void> DatabaseCopy::write(const TableShape& table, std::vector<TableRow>& rows) {
  return to_.write([&](soci::session& session) -> Result<void> {
    // No row replaces another one: what the marker does not speak of, somebody else has written.
    RowInsert insert(session, to_backend_->dialect(), table.name, insert_columns(table));
    for (TableRow& row : rows) {
      adapt_times(row, table, to_backend_->dialect());
      std::ranges::copy(row, insert.row().begin());
      insert.add();
    }
    insert.finish();
    write_meta(session, kMarker, marker(&table, &rows.back()));
    return {};
  });
}

// What proves the encryption key, and which ids were given out.
Result<void> DatabaseCopy::take_over_meta() {
  const auto next_id =
      from_.read([](soci::session& session) -> Result<std::string> { return read_meta(session, "next_key_id"); });
  if (!next_id) return on_side(next_id.error(), "from");
  auto written = to_.write([&](soci::session& session) -> Result<void> {
    write_meta(session, "key_check", source_id_);
    write_meta(session, "next_key_id", *next_id);
    note_scrubbed(session);  // no key was ever plain here
    if (!to_backend_->dialect().raise_ids.empty()) {
      long long next = 0;
      akr::run(session, to_backend_->dialect().raise_ids, soci::into(next));
    }
    return {};
  });
  if (!written) return on_side(written.error(), "to");
  return {};
}

Result<bool> DatabaseCopy::compare(std::vector<CopiedTable>& tables) {
  tables.clear();
  for (const TableShape& table : tables_) {
    const auto ours = sum(from_, table);
    if (!ours) return on_side(ours.error(), "from");
    const auto theirs = sum(to_, table);
    if (!theirs) return on_side(theirs.error(), "to");
    if (*ours != *theirs) return false;
    tables.push_back({table.name, ours->rows});
  }
  return true;
}

Result<TableSum> DatabaseCopy::sum(SqlSessions& side, const TableShape& table) {
  return side.read([&](soci::session& session) -> Result<TableSum> {
    TableSum total;
    std::vector<Cell> after;
    for (std::size_t got = kRowsPerPage; got == kRowsPerPage;) {
      const std::vector<TableRow> rows = read_page(session, table, after);
      for (const TableRow& row : rows) add_row(total, table, row);
      got = rows.size();
      if (got > 0) after.assign(rows.back().begin(), rows.back().begin() + static_cast<std::ptrdiff_t>(table.keys));
    }
    return total;
  });
}

Result<std::uint64_t> DatabaseCopy::count(SqlSessions& side, const TableShape& table) {
  return side.read([&](soci::session& session) -> Result<std::uint64_t> {
    long long rows = 0;
    akr::run(session, "SELECT count(*) FROM " + table.name, soci::into(rows));
    return static_cast<std::uint64_t>(rows);
  });
}

Result<void> DatabaseCopy::finish() {
  return to_.write([](soci::session& session) -> Result<void> {
    write_meta(session, kMarker, "");
    return {};
  });
}

std::string DatabaseCopy::marker(const TableShape* table, const TableRow* last) const {
  boost::json::array after;
  for (std::size_t i = 0; table != nullptr && i < table->keys; ++i) {
    const Cell& cell = (*last)[i];
    after.push_back(table->is_number(i) ? boost::json::value(cell.number) : boost::json::value(cell.text));
  }
  return boost::json::serialize(
      boost::json::object{{"source", source_id_}, {"table", table == nullptr ? "" : table->name}, {"after", after}});
}

// nullopt: of another source.
std::optional<DatabaseCopy::Place> DatabaseCopy::read_marker(const std::string& text,
                                                             const std::vector<TableShape>& tables) const {
  boost::system::error_code failure;
  const boost::json::value value = boost::json::parse(text, failure);
  const auto* object = failure ? nullptr : value.if_object();
  if (object == nullptr || !object->contains("source") || object->at("source") != boost::json::value(source_id_))
    return std::nullopt;
  Place place{std::string(object->at("table").as_string()), {}};
  const auto table = std::ranges::find(tables, place.table, &TableShape::name);
  if (table == tables.end()) return Place{};
  std::size_t at = 0;
  for (const boost::json::value& key : object->at("after").as_array()) {
    place.after.push_back(table->is_number(at++) ? number_cell(key.to_number<long long>())
                                                 : text_cell(std::string(key.as_string())));
  }
  return place;
}

Result<std::vector<CopiedTable>> copy_database(const StoreOptions& from, const StoreOptions& to,
                                               const CopyProgress& progress) {
  auto source = make_backend(from.at);
  if (!source) return on_side(source.error(), "from");
  auto target = make_backend(to.at);
  if (!target) return on_side(target.error(), "to");
  const KeyCipher cipher(from.encryption_key);
  return DatabaseCopy(*std::move(source), *std::move(target), cipher, progress).run();
}

}  // namespace akr
