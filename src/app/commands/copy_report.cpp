#include "app/commands/copy_report.hpp"

#include <algorithm>

namespace akr {

void CopyProgressLines::note(std::string_view table, std::uint64_t done, std::uint64_t all, TimePoint now) {
  const bool finished = done >= all;
  if (finished ? finished_ == table : now - told_ < std::chrono::seconds(1)) return;
  if (finished) finished_ = table;
  told_ = now;
  print_(std::string(table) + ": " + std::to_string(done) + " of " + std::to_string(all) + "\n");
}

std::string copy_report(std::span<const CopiedTable> tables) {
  constexpr std::string_view kNames = "table";
  constexpr std::string_view kRows = "rows";
  std::size_t name_width = kNames.size();
  std::size_t rows_width = kRows.size();
  for (const CopiedTable& table : tables) {
    name_width = std::max(name_width, table.name.size());
    rows_width = std::max(rows_width, std::to_string(table.rows).size());
  }
  std::string text;
  const auto add = [&](std::string_view name, std::string_view rows) {
    text.append(name).append(name_width - name.size() + 2 + rows_width - rows.size(), ' ').append(rows) += '\n';
  };
  add(kNames, kRows);
  for (const CopiedTable& table : tables) add(table.name, std::to_string(table.rows));
  return text + "verified\n";
}

}  // namespace akr
