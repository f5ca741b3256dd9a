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
constexpr SessionPatience kForCopies{.lock = std::chrono::hours(1)};

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

// Did an upgrade of the first version's tables, which have nowhere to note it, leave a whole copy behind?  The table
// that is copied last has all its rows then, and nothing has changed since.
bool holds_same_ids(soci::session& session, const std::string& copy, const std::set<std::string>& tables) {
  for (const char* table : {"api_keys", "proxy_configs"}) {
    if (!tables.contains(table)) continue;
    const std::string name = copy + "_" + table;
    if (!tables.contains(name) || count_rows(session, table) != count_rows(session, name)) return false;
    if (count_rows(session,
                   std::string(table) + " t WHERE NOT EXISTS (SELECT 1 FROM " + name + " c WHERE c.id = t.id)") > 0) {
      return false;
    }
  }
  return true;
}

bool is_used(const std::string& copy, const std::set<std::string>& tables) {
  return std::ranges::any_of(our_tables(),
                             [&](std::string_view table) { return tables.contains(copy + "_" + std::string(table)); });
}

bool is_empty(soci::session& session, const std::set<std::string>& tables) {
  return std::ranges::all_of(our_tables(), [&](std::string_view table) {
    const bool holds_something = table == "proxy_configs" || table == "api_keys";
    return !holds_something || !tables.contains(std::string(table)) || count_rows(session, std::string(table)) == 0;
  });
}

}  // namespace

Result<void> ServerBackend::copy_to(const std::string& path) {
  return Error{ErrorCode::kUnsupported, where() + " has tools of its own for backups (mysqldump, pg_dump); " + path +
                                            " can only be a copy of a SQLite database. copy-database makes one."};
}

// A copy that was made before an upgrade is noted in the database until that upgrade is through (note_upgraded()): who
// takes it up again uses the same one.  On servers that commit each statement the note comes last, and what was cut off
// before it gets no second look.
Result<std::string> ServerBackend::keep_copy(soci::session& session, std::string_view reason) {
  const std::set<std::string> tables = table_names(session, dialect());
  const bool is_ours = tables.contains("akr_meta"), is_reset = reason == kReset;
  const std::string noted = is_ours && !is_reset ? read_meta(session, kUpgradeCopy) : "";
  if (!noted.empty() && is_used(noted, tables)) return noted;
  const std::string base = std::string(kPrefix) + std::string(reason);
  std::string name = base;
  for (int number = 2; is_used(name, tables); ++number) {
    if (!is_ours && holds_same_ids(session, name, tables)) return name;
    if (is_reset && is_empty(session, tables)) return name;  // there is nothing to lose
    name = base + "_" + std::to_string(number);
  }
  for (const std::string_view table : our_tables()) {
    const std::string from(table);
    if (tables.contains(from)) copy_table(session, dialect(), from, std::string(name).append("_").append(from));
  }
  if (is_ours && !is_reset) write_meta(session, kUpgradeCopy, name);
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
