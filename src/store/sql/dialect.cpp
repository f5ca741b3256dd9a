#include "store/sql/dialect.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace akr {
namespace {

std::string_view word_for(std::string_view name, const Dialect& dialect) {
  const std::array<std::pair<std::string_view, std::string_view>, 8> words = {{{"auto_id", dialect.auto_id},
                                                                               {"integer", dialect.integer},
                                                                               {"flag", dialect.flag},
                                                                               {"time", dialect.time},
                                                                               {"text", dialect.text},
                                                                               {"name", dialect.name},
                                                                               {"word", dialect.word},
                                                                               {"table_end", dialect.table_end}}};
  for (const auto& [known, word] : words) {
    if (known == name) return word;
  }
  return {};
}

std::string listed(std::span<const std::string> columns) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ", ") + column;
  return text;
}

// What a row of the same key takes over.
std::string replacement(const Dialect& dialect, std::span<const std::string> columns,
                        std::span<const std::string> keys) {
  const bool on_conflict = dialect.upsert == Upsert::kOnConflict;
  std::string text;
  for (const std::string& column : columns) {
    if (std::ranges::find(keys, column) != keys.end()) continue;
    text +=
        (text.empty() ? "" : ", ") + column + " = " + (on_conflict ? "excluded." + column : "VALUES(" + column + ")");
  }
  return on_conflict ? " ON CONFLICT (" + listed(keys) + ") DO UPDATE SET " + text : " ON DUPLICATE KEY UPDATE " + text;
}

}  // namespace

std::string render(std::string_view statement, const Dialect& dialect) {
  std::string text;
  while (!statement.empty()) {
    const auto open = std::min(statement.find('{'), statement.size());
    text += statement.substr(0, open);
    const auto close = statement.find('}', open);
    if (close == std::string_view::npos) break;
    text += word_for(statement.substr(open + 1, close - open - 1), dialect);
    statement.remove_prefix(close + 1);
  }
  return text;
}

std::string insert_text(const Dialect& dialect, std::string_view table, std::span<const std::string> columns,
                        std::span<const std::string> keys, std::size_t rows) {
  std::string text = "INSERT INTO " + std::string(table) + " (" + listed(columns) + ") VALUES ";
  std::size_t parameter = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    text += row == 0 ? "(" : ", (";
    for (std::size_t i = 0; i < columns.size(); ++i) text += (i == 0 ? ":c" : ", :c") + std::to_string(parameter++);
    text += ")";
  }
  if (!keys.empty()) text += replacement(dialect, columns, keys);
  return text;
}

}  // namespace akr
