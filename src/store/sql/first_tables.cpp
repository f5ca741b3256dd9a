#include "store/sql/first_tables.hpp"

#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "store/sql/columns.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/schema.hpp"

namespace akr {
namespace {

// The original's own definitions, so that its tables and ours are the same from the start.
constexpr std::string_view kServices =
    "CREATE TABLE proxy_configs (id {auto_id}, name {name} NOT NULL, slug {name} NOT NULL, config_type {word} NOT NULL,"
    " api_key_location {text}, api_key_name {text}, is_active {flag}, created_at {time}, updated_at {time},"
    " method {text}, target_url {text}, target_base_url {text}, api_format {word} DEFAULT 'openai_compatible',"
    " output_format {word} DEFAULT 'none'){table_end}";
constexpr std::string_view kKeys =
    "CREATE TABLE api_keys (id {auto_id}, key_value {text} NOT NULL, is_active {flag}, proxy_config_id {integer},"
    " CONSTRAINT fk_proxy_configs_api_keys FOREIGN KEY (proxy_config_id) REFERENCES proxy_configs(id)"
    " ON DELETE CASCADE){table_end}";
constexpr std::string_view kMeta =
    "CREATE TABLE akr_meta (name varchar(64) NOT NULL PRIMARY KEY, value {text} NOT NULL){table_end}";

// What the original let in and we do not: each line names the case.  In order.
constexpr std::array<std::string_view, 10> kRepairs = {
    // Lower-case types were written by the documentation's own examples, and were never matched.
    "UPDATE proxy_configs SET config_type = upper(trim(config_type))",
    "UPDATE proxy_configs SET config_type = 'GENERIC', is_active = 0 WHERE config_type NOT IN ('GENERIC', 'LLM')",
    // NULL means the default there; PUT left real NULLs behind.
    "UPDATE proxy_configs SET api_format = 'openai_compatible' WHERE coalesce(trim(api_format), '') = ''",
    "UPDATE proxy_configs SET output_format = 'none' WHERE coalesce(trim(output_format), '') = ''",
    // The original crashed on these; open to any method would be more than was ever meant.
    "UPDATE proxy_configs SET method = 'GET', is_active = 0"
    " WHERE config_type = 'GENERIC' AND coalesce(trim(method), '') = ''",
    "UPDATE proxy_configs SET is_active = 0 WHERE config_type = 'GENERIC' AND coalesce(trim(target_url), '') = ''",
    "UPDATE proxy_configs SET is_active = 0 WHERE config_type = 'LLM' AND coalesce(trim(target_base_url), '') = ''",
    // It put "Bearer " before the key in any header of an OpenAI service, and nothing anywhere else.
    "UPDATE proxy_configs SET api_key_prefix = 'Bearer ' WHERE config_type = 'LLM' AND api_format = 'openai_compatible'"
    " AND coalesce(api_key_name, '') <> '' AND lower(coalesce(api_key_location, 'header')) <> 'query'",
    "UPDATE proxy_configs SET accept_body_key = 1",
    // Deleting a service left its keys behind, and nothing ever used them again.
    "DELETE FROM api_keys WHERE proxy_config_id IS NULL OR proxy_config_id NOT IN (SELECT id FROM proxy_configs)",
};

constexpr std::size_t kLongestName = 100;

struct Index {
  std::string_view name, definition;
  bool unique = false;
};
constexpr std::array kIndexes = {
    Index{"idx_proxy_configs_name", "proxy_configs(name)", true},
    Index{"idx_proxy_configs_slug", "proxy_configs(slug)", true},
    Index{"idx_proxy_configs_config_type", "proxy_configs(config_type)"},
    Index{"idx_api_keys_proxy_config_id", "api_keys(proxy_config_id)"},
    Index{"idx_api_keys_hash", "api_keys(proxy_config_id, key_hash)", true},
};

void make_index(const MigrationStep& step, const Index& index) {
  const std::string table(index.definition.substr(0, index.definition.find('(')));
  const std::string name(index.name);
  int count = 0;
  run(step.session, step.dialect.index_exists, soci::use(table, "table"), soci::use(name, "name"), soci::into(count));
  if (count > 0) return;
  run(step.session,
      (index.unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ") + name + " ON " + std::string(index.definition));
}

// Only a database without the original's indexes can hold two of a name.  The oldest one keeps it.
void tell_apart(soci::session& session, const std::string& column, std::string_view between) {
  std::vector<std::pair<long long, std::string>> rows;
  std::pair<long long, std::string> row;
  soci::statement all = prepared(session, "SELECT id, " + column + " FROM proxy_configs ORDER BY id",
                                 soci::into(row.first), soci::into(row.second));
  std::set<std::string> taken;
  for (bool more = all.execute(true); more; more = all.fetch()) {
    rows.push_back(row);
    taken.insert(row.second);
  }
  std::set<std::string> seen;
  for (auto& [id, name] : rows) {
    if (seen.insert(name).second) continue;
    std::string suffix = std::string(between) + std::to_string(id), fresh;
    do {
      fresh = std::string(cut_utf8(name, kLongestName - suffix.size())) + suffix;
      suffix += std::string(between) + std::to_string(id);
    } while (!taken.insert(fresh).second);
    run(session, "UPDATE proxy_configs SET " + column + " = :fresh WHERE id = :id", soci::use(fresh), soci::use(id));
  }
}

// True: it was not there.
bool make_table(const MigrationStep& step, const char* name, std::string_view definition) {
  if (has_table(step.session, step.dialect, name)) return false;
  run(step.session, render(definition, step.dialect));
  return true;
}

}  // namespace

// Before the first of them is altered: somebody else's table of that name is none of our business.
Result<void> check_first_tables(soci::session& session, const Dialect& dialect) {
  const std::pair<const char*, std::vector<const char*>> wanted[] = {
      {"proxy_configs", {"id", "name", "slug", "config_type"}}, {"api_keys", {"id", "key_value", "proxy_config_id"}}};
  for (const auto& [table, columns] : wanted) {
    const std::set<std::string> found = column_names(session, dialect, table);
    if (found.empty()) continue;
    for (const char* column : columns) {
      if (found.contains(column)) continue;
      return Error{ErrorCode::kUnsupported, std::string("The database has a table ") + table +
                                                " of another program (without a column " + column +
                                                "); name a database of our own."};
    }
  }
  return {};
}

void make_first_tables(const MigrationStep& step) {
  const bool adopted = !make_table(step, "proxy_configs", kServices);
  const bool keyless = make_table(step, "api_keys", kKeys);
  if (adopted) {
    for (const std::string_view statement : step.dialect.adopt_tables) run(step.session, statement);
  }
  add_columns(step.session, step.dialect, columns_of_version(1));
  if (adopted) {
    for (const std::string_view repair : kRepairs) run(step.session, repair);
    tell_apart(step.session, "slug", "-");
    tell_apart(step.session, "name", " ");
    log_info("database_adopted", {{"message", "services and keys of the original were taken over"}});
  }
  for (const Index& index : kIndexes) make_index(step, index);
  make_table(step, "akr_meta", kMeta);
  write_meta(step.session, "oldest_reader", "1");
  write_meta(step.session, "next_key_id", "1");
  write_meta(step.session, "key_check", step.cipher.seal("akr", check_place()));
  if (keyless) note_scrubbed(step.session);
}

std::string first_tables_text() {
  std::string text;
  for (const std::string_view part : {kServices, kKeys, kMeta}) text += part;
  for (const std::string_view repair : kRepairs) text += repair;
  text += "slugs and names told apart";
  for (const Index& index : kIndexes) text += std::string(index.name) + std::string(index.definition);
  return text;
}

}  // namespace akr
