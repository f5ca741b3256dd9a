#include "store/sql/schema.hpp"

#include <array>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "store/sql/columns.hpp"
#include "store/sql/run_statement.hpp"

namespace akr {
namespace {

constexpr const char* kScrubbed = "scrubbed";

// One row per KeyPin (store/key_pin_store.hpp).  No foreign key, for the same reason as below.
constexpr std::string_view kKeyPins =
    "CREATE TABLE IF NOT EXISTS key_pins (service_id integer NOT NULL, pin varchar(64) NOT NULL,"
    " key_service_id integer NOT NULL, key_id integer NOT NULL, expires_ms bigint NOT NULL,"
    " PRIMARY KEY (service_id, pin))";
constexpr std::string_view kKeyPinsByEnd = "CREATE INDEX IF NOT EXISTS idx_key_pins_expires ON key_pins(expires_ms)";

// One row per KeyStateRecord; times in milliseconds since 1970.  No foreign key: a row may be written a moment after
// its key was deleted, and is removed at the next save.
constexpr std::string_view kKeyStates =
    "CREATE TABLE IF NOT EXISTS key_states (service_id integer NOT NULL, key_id integer NOT NULL,"
    " quota_group varchar(100) NOT NULL, model varchar(255) NOT NULL, state varchar(16) NOT NULL,"
    " reason varchar(100) NOT NULL, since_ms bigint NOT NULL, until_ms bigint NOT NULL, next_try_ms bigint NOT NULL,"
    " half_open integer NOT NULL, rate_level integer NOT NULL, quota_level integer NOT NULL,"
    " failures bigint NOT NULL, used_today bigint NOT NULL, used_this_month bigint NOT NULL,"
    " usage_at_ms bigint NOT NULL, PRIMARY KEY (service_id, key_id, quota_group, model))";

// The original's own definitions, so that its tables and ours are the same from the start.
constexpr std::string_view kServiceColumns =
    "name text NOT NULL, slug text NOT NULL, config_type text NOT NULL, api_key_location text, api_key_name text,"
    " is_active numeric DEFAULT true, created_at datetime, updated_at datetime, method text, target_url text,"
    " target_base_url text, api_format text DEFAULT 'openai_compatible', output_format text DEFAULT 'none')";
constexpr std::string_view kKeyColumns =
    "key_value text NOT NULL, is_active numeric DEFAULT true, proxy_config_id integer,"
    " CONSTRAINT fk_proxy_configs_api_keys FOREIGN KEY (proxy_config_id) REFERENCES proxy_configs(id)"
    " ON DELETE CASCADE)";

// What the original let in and we do not: each line names the case.  In order.
constexpr std::array kRepairs = {
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
    // Only a database without the original's indexes can hold these.
    "UPDATE proxy_configs SET slug = slug || '-' || id WHERE id NOT IN (SELECT min(id) FROM proxy_configs GROUP BY "
    "slug)",
    "UPDATE proxy_configs SET name = name || ' ' || id WHERE id NOT IN (SELECT min(id) FROM proxy_configs GROUP BY "
    "name)",
    // Deleting a service left its keys behind, and nothing ever used them again.
    "DELETE FROM api_keys WHERE proxy_config_id IS NULL OR proxy_config_id NOT IN (SELECT id FROM proxy_configs)",
};

constexpr std::array kIndexes = {
    "CREATE UNIQUE INDEX IF NOT EXISTS idx_proxy_configs_name ON proxy_configs(name)",
    "CREATE UNIQUE INDEX IF NOT EXISTS idx_proxy_configs_slug ON proxy_configs(slug)",
    "CREATE INDEX IF NOT EXISTS idx_proxy_configs_config_type ON proxy_configs(config_type)",
    "CREATE INDEX IF NOT EXISTS idx_api_keys_proxy_config_id ON api_keys(proxy_config_id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS idx_api_keys_hash ON api_keys(proxy_config_id, key_hash)",
};

bool has_table(soci::session& session, const Dialect& dialect, const std::string& name) {
  int count = 0;
  run(session, dialect.table_exists, soci::use(name, "name"), soci::into(count));
  return count > 0;
}

// Version 1: the original's tables, completed, repaired and with our columns.
void create_or_adopt(soci::session& session, const Dialect& dialect, const KeyCipher& cipher) {
  const bool adopted = has_table(session, dialect, "proxy_configs");
  if (!adopted) {
    run(session, std::string("CREATE TABLE proxy_configs (id ") + std::string(dialect.auto_id) + ", " +
                     std::string(kServiceColumns));
  }
  const bool keyless = !has_table(session, dialect, "api_keys");
  if (keyless) {
    run(session,
        std::string("CREATE TABLE api_keys (id ") + std::string(dialect.auto_id) + ", " + std::string(kKeyColumns));
  }
  add_columns(session, dialect, columns_of_version(1));
  if (adopted) {
    for (const char* repair : kRepairs) run(session, repair);
    log_info("database_adopted", {{"message", "services and keys of the original were taken over"}});
  }
  for (const char* index : kIndexes) run(session, index);
  run(session, "CREATE TABLE akr_meta (name varchar(64) PRIMARY KEY, value text NOT NULL)");
  write_meta(session, "oldest_reader", "1");
  write_meta(session, "next_key_id", "1");
  write_meta(session, "key_check", cipher.seal("akr", check_place()));
  if (keyless) note_scrubbed(session);
}

int to_int(const std::string& text) { return static_cast<int>(parse_u64(text).value_or(0)); }

}  // namespace

SchemaState inspect_schema(soci::session& session, const Dialect& dialect, const KeyCipher& cipher) {
  SchemaState state;
  state.has_tables = has_table(session, dialect, "proxy_configs") || has_table(session, dialect, "api_keys");
  if (!has_table(session, dialect, "akr_meta")) return state;
  state.version = to_int(read_meta(session, "schema_version"));
  state.oldest_reader = to_int(read_meta(session, "oldest_reader"));
  if (state.version == kSchemaVersion) state.lacks_columns = !missing_columns(session, dialect, late_columns()).empty();
  // A missing or damaged check counts as a wrong key: writing with a key that may be wrong could not be undone.
  state.key_fits = cipher.open(read_meta(session, "key_check"), check_place()).has_value();
  return state;
}

void migrate_schema(soci::session& session, const Dialect& dialect, const KeyCipher& cipher, int version) {
  if (version < 1) create_or_adopt(session, dialect, cipher);
  if (version < 2) {
    // Only added to: a program of version 1 still reads and writes such a database.
    add_columns(session, dialect, columns_of_version(2));
    run(session, kKeyStates);
  }
  if (version < 3) {
    add_columns(session, dialect, columns_of_version(3));
    run(session, kKeyPins);
    run(session, kKeyPinsByEnd);
  }
  // Only added to, too: a program that does not know such a column goes on using such a database.
  add_columns(session, dialect, late_columns());
  write_meta(session, "schema_version", std::to_string(kSchemaVersion));
}

void drop_schema(soci::session& session, const Dialect& dialect) {
  for (const char* table : {"key_pins", "key_states", "api_keys", "proxy_configs", "akr_meta"}) {
    if (has_table(session, dialect, table)) run(session, std::string("DROP TABLE ") + std::string(table));
  }
}

bool is_scrubbed(soci::session& session) { return read_meta(session, kScrubbed) == "1"; }
void note_scrubbed(soci::session& session) { write_meta(session, kScrubbed, "1"); }
void forget_scrubbed(soci::session& session) { write_meta(session, kScrubbed, "0"); }

std::string read_meta(soci::session& session, const std::string& name) {
  std::string value;
  run(session, "SELECT value FROM akr_meta WHERE name = :name", soci::use(name), soci::into(value));
  return session.got_data() ? value : "";
}

void write_meta(soci::session& session, const std::string& name, const std::string& value) {
  run(session, "DELETE FROM akr_meta WHERE name = :name", soci::use(name));
  run(session, "INSERT INTO akr_meta (name, value) VALUES (:name, :value)", soci::use(name), soci::use(value));
}

}  // namespace akr
