#include "store/sql/server_backend.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "store/sql/run_statement.hpp"
#include "store/sql/schema.hpp"

namespace akr {
namespace {

constexpr std::string_view kPrefix = "akr_copy_";
constexpr std::string_view kKeys = "_api_keys";
constexpr SessionPatience kForCopies{.answer = std::chrono::hours(1)};

std::set<std::string> table_names(soci::session& session, const Dialect& dialect) {
  std::set<std::string> names;
  std::string name;
  soci::statement statement = prepared(session, dialect.table_names, soci::into(name));
  for (bool more = statement.execute(true); more; more = statement.fetch()) names.insert(name);
  return names;
}

std::string replaced(std::string text, std::string_view word, std::string_view by) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
  return text;
}

void copy_table(soci::session& session, const Dialect& dialect, const std::string& from, const std::string& to) {
  std::string_view statements = dialect.copy_table;
  while (!statements.empty()) {
    const auto end = std::min(statements.find(';'), statements.size());
    run(session, replaced(replaced(std::string(statements.substr(0, end)), "{from}", from), "{to}", to));
    statements.remove_prefix(std::min(end + 1, statements.size()));
  }
}

long long count_rows(soci::session& session, const std::string& tables_and_condition) {
  long long count = 0;
  run(session, "SELECT count(*) FROM " + tables_and_condition, soci::into(count));
  return count;
}

// Does the copy hold the rows of the table?  By what neither an upgrade nor sealing changes.
bool holds_same_rows(soci::session& session, const std::string& table, const std::string& copy) {
  return count_rows(session, table) == count_rows(session, copy) &&
         count_rows(session, table + " t WHERE NOT EXISTS (SELECT 1 FROM " + copy + " c WHERE c.id = t.id)") == 0;
}

}  // namespace

Result<void> ServerBackend::copy_to(const std::string& path) {
  return Error{ErrorCode::kUnsupported, where() + " has tools of its own for backups (mysqldump, pg_dump); " + path +
                                            " can only be a copy of a SQLite database. copy-database makes one."};
}

Result<std::string> ServerBackend::keep_copy(soci::session& session, std::string_view reason) {
  const std::set<std::string> tables = table_names(session, dialect());
  const std::string base = std::string(kPrefix) + std::string(reason);
  std::string name = base;
  for (int number = 2;; ++number) {
    bool unused = true, same = true;
    for (const char* table : {"proxy_configs", "api_keys"}) {
      const std::string copy = name + "_" + table;
      const bool is_there = tables.contains(copy);
      if (is_there) unused = false;
      if (tables.contains(table)) same = same && is_there && holds_same_rows(session, table, copy);
    }
    if (!unused && same) return name;
    if (unused) break;
    name = base + "_" + std::to_string(number);
  }
  for (const std::string_view table : our_tables()) {
    const std::string from(table);
    if (tables.contains(from)) copy_table(session, dialect(), from, name + "_" + from);
  }
  return name;
}

Result<void> ServerBackend::scrub(soci::session& session, const std::string& prefix) {
  run(session, replaced(std::string(dialect().rewrite_keys), "{table}", prefix + "api_keys"));
  return {};
}

std::vector<std::string> ServerBackend::kept_copies(soci::session& session) {
  std::vector<std::string> copies;
  for (const std::string& table : table_names(session, dialect())) {
    if (!table.starts_with(kPrefix) || !table.ends_with(kKeys)) continue;
    copies.push_back(table.substr(0, table.size() - kKeys.size()));
  }
  return copies;
}

OpenedCopy ServerBackend::open_copy(const std::string& name) {
  OpenedCopy copy{connect(kForCopies), name + "_"};
  set_up(*copy.session, kForCopies);
  return copy;
}

}  // namespace akr
