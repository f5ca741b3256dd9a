#include "store/sql/copied_table.hpp"

#include <cstring>

#include <sodium.h>

#include "core/service/fields.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

template <class Owner>
void append(TableShape& table, std::span<const Field<Owner>> fields) {
  for (const Field<Owner>& field : fields) {
    table.columns.push_back({std::string(field.name), is_number(field) ? CellKind::kNumber : CellKind::kText});
  }
}

TableShape services() {
  TableShape table{"proxy_configs",
                   {{"id", CellKind::kNumber},
                    {"revision", CellKind::kNumber},
                    {"created_at", CellKind::kTime},
                    {"updated_at", CellKind::kTime}}};
  append(table, service_fields());
  return table;
}

TableShape keys() {
  TableShape table{"api_keys",
                   {{"id", CellKind::kNumber},
                    {"proxy_config_id", CellKind::kNumber},
                    {"key_value"},
                    {"key_hash"},
                    {"key_version", CellKind::kNumber},
                    {"created_at", CellKind::kTime}}};
  append(table, key_fields<UpstreamKey>());
  return table;
}

TableShape states() {
  TableShape table{"key_states",
                   {{"service_id", CellKind::kNumber},
                    {"key_id", CellKind::kNumber},
                    {"quota_group"},
                    {"model"},
                    {"state"},
                    {"reason"}},
                   4};
  for (const char* name : {"since_ms", "until_ms", "next_try_ms", "half_open", "rate_level", "quota_level", "failures",
                           "used_today", "used_this_month", "usage_at_ms"}) {
    table.columns.push_back({name, CellKind::kNumber});
  }
  return table;
}

TableShape pins() {
  TableShape table{"key_pins", {{"service_id", CellKind::kNumber}, {"pin"}}, 2};
  for (const char* name : {"key_service_id", "key_id", "expires_ms", "owner", "account"}) {
    table.columns.push_back({name, CellKind::kNumber});
  }
  return table;
}

std::string listed(const TableShape& table, std::size_t count, std::string_view prefix) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + std::string(prefix) + table.columns[i].name;
  return text;
}

std::string page_text(const TableShape& table, bool has_after) {
  const std::string key = listed(table, table.keys, "");
  std::string text = "SELECT " + listed(table, table.columns.size(), "") + " FROM " + table.name;
  if (has_after) text += " WHERE (" + key + ") > (" + listed(table, table.keys, ":after_") + ")";
  return text + " ORDER BY " + key + " LIMIT " + std::to_string(kRowsPerPage);
}

void hash_bytes(crypto_generichash_state& state, std::string_view bytes) {
  const std::uint64_t size = bytes.size();
  ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&size), sizeof size);
  ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string canonical(const Cell& cell, CellKind kind) {
  if (cell.state == soci::i_null) return "";
  switch (kind) {
    case CellKind::kNumber:
      return "=" + std::to_string(cell.number);
    case CellKind::kText:
      return "=" + cell.text;
    case CellKind::kTime:
      return "=" + std::to_string(from_sql_time(cell.text).time_since_epoch().count());
  }
  return "";
}

}  // namespace

std::vector<TableShape> copied_tables() { return {services(), keys(), states(), pins()}; }

std::vector<TableRow> read_page(soci::session& session, const TableShape& table, std::span<const Cell> after) {
  TableRow row(table.columns.size());
  std::vector<Cell> from(after.begin(), after.end());
  soci::statement statement(session);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (table.is_number(i)) {
      statement.exchange(soci::into(row[i].number, row[i].state));
    } else {
      statement.exchange(soci::into(row[i].text, row[i].state));
    }
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (table.is_number(i)) {
      statement.exchange(soci::use(from[i].number));
    } else {
      statement.exchange(soci::use(from[i].text));
    }
  }
  statement.alloc();
  statement.prepare(page_text(table, !after.empty()));
  statement.define_and_bind();
  std::vector<TableRow> rows;
  for (bool more = statement.execute(true); more; more = statement.fetch()) rows.push_back(row);
  return rows;
}

void adapt_times(TableRow& row, const TableShape& table, const Dialect& dialect) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (table.columns[i].kind != CellKind::kTime || row[i].state == soci::i_null) continue;
    row[i].text = to_sql_time(from_sql_time(row[i].text), dialect);
  }
}

void add_row(TableSum& sum, const TableShape& table, const TableRow& row) {
  crypto_generichash_state state;
  ::crypto_generichash_init(&state, nullptr, 0, 16);
  for (std::size_t i = 0; i < row.size(); ++i) hash_bytes(state, canonical(row[i], table.columns[i].kind));
  unsigned char hash[16];
  ::crypto_generichash_final(&state, hash, sizeof hash);
  std::uint64_t low = 0, high = 0;
  std::memcpy(&low, hash, sizeof low);
  std::memcpy(&high, hash + 8, sizeof high);
  ++sum.rows;
  sum.low += low;
  sum.high += high;
}

}  // namespace akr
