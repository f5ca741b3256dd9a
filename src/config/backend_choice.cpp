#include "config/backend_choice.hpp"

#include <filesystem>
#include <initializer_list>

namespace akr {
namespace {

std::string_view title(DatabaseKind kind) {
  switch (kind) {
    case DatabaseKind::kUnset:
      return "";
    case DatabaseKind::kSqlite:
      return "SQLite";
    case DatabaseKind::kMysql:
      return "MySQL";
    case DatabaseKind::kPostgresql:
      return "PostgreSQL";
  }
  return "";
}

Error unsupported(const SettingBase& setting, std::string_view reason) {
  Error error = setting.refusal(reason);
  error.code = ErrorCode::kUnsupported;
  return error;
}

// "DB_HOST, DB_USER" of those that were given.
std::string given_names(std::initializer_list<const SettingBase*> settings) {
  std::string names;
  for (const SettingBase* setting : settings) {
    if (!setting->given()) continue;
    if (!names.empty()) names += ", ";
    names += setting->name();
  }
  return names;
}

Result<DatabaseAddress> read_database_url(const Settings& settings) {
  if (!settings.database_url.given()) return DatabaseAddress{};
  auto address = parse_database_url(settings.database_url().expose());
  if (!address) {
    return settings.database_url.refusal(
        "sqlite:PATH, mysql://USER:PASSWORD@HOST:PORT/NAME, USER:PASSWORD@tcp(HOST:PORT)/NAME or postgresql://...");
  }
  return *std::move(address);
}

Result<void> check_sqlite(Settings& settings, const DatabaseAddress& address) {
  if (address.kind == DatabaseKind::kSqlite && settings.database_path.given() &&
      address.file != settings.database_path()) {
    return settings.database_url.refusal("it names another file than DATABASE_PATH; set only one of them");
  }
  if (settings.db_type() == DatabaseKind::kSqlite) {
    if (address.kind == DatabaseKind::kMysql || address.kind == DatabaseKind::kPostgresql) {
      settings.warnings.push_back("DATABASE_URL is ignored because DB_TYPE=sqlite");
    }
    return {};
  }
  const std::string hints =
      given_names({&settings.db_host, &settings.db_user, &settings.mysql_db_host, &settings.mysql_host});
  if (!hints.empty()) {
    settings.warnings.push_back(hints + ": ignored, this build has no MySQL; the SQLite file " +
                                database_file(settings) + " is used. DB_TYPE=sqlite silences this warning");
  }
  return {};
}

Result<void> check_database(Settings& settings) {
  auto address = read_database_url(settings);
  if (!address) return address.error();
  const DatabaseKind asked = settings.db_type();
  if (asked == DatabaseKind::kSqlite || (asked == DatabaseKind::kUnset && (address->kind == DatabaseKind::kSqlite ||
                                                                           address->kind == DatabaseKind::kUnset))) {
    return check_sqlite(settings, *address);
  }
  if (asked != DatabaseKind::kUnset && address->kind != DatabaseKind::kUnset && asked != address->kind) {
    return settings.db_type.refusal("DATABASE_URL is the address of another kind of database");
  }
  const DatabaseKind kind = asked == DatabaseKind::kUnset ? address->kind : asked;
  const SettingBase& chosen =
      asked == DatabaseKind::kUnset ? static_cast<const SettingBase&>(settings.database_url) : settings.db_type;
  std::string reason = "this build has no ";
  reason += title(kind);
  reason += " yet; set DB_TYPE=sqlite to use the SQLite file DATABASE_PATH";
  return unsupported(chosen, reason);
}

Result<void> check_cluster(Settings& settings) {
  if (settings.redis_url.given() && !parse_redis_url(settings.redis_url().expose())) {
    return settings.redis_url.refusal("redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], rediss:// for TLS");
  }
  if (settings.cache_type() == CacheKind::kMemory) {
    if (settings.redis_url.given()) settings.warnings.push_back("REDIS_URL is ignored because CACHE_TYPE=memory");
    return {};
  }
  constexpr std::string_view kNoRedis = "this build has no Redis yet; set CACHE_TYPE=memory to run a single node";
  if (settings.cache_type() == CacheKind::kRedis) return unsupported(settings.cache_type, kNoRedis);
  if (settings.redis_url.given()) return unsupported(settings.redis_url, kNoRedis);
  const std::string hints = given_names({&settings.redis_host, &settings.redis_port});
  if (!hints.empty()) {
    settings.warnings.push_back(hints +
                                ": ignored, this build has no Redis; state is kept in memory. "
                                "CACHE_TYPE=memory silences this warning");
  }
  return {};
}

}  // namespace

Result<void> check_backends(Settings& settings) {
  if (auto database = check_database(settings); !database) return database;
  return check_cluster(settings);
}

std::string database_file(const Settings& settings) {
  if (settings.database_url.given()) {
    const auto address = parse_database_url(settings.database_url().expose());
    if (address && address->kind == DatabaseKind::kSqlite) return address->file;
  }
  return settings.database_path();
}

std::string data_directory(const Settings& settings) {
  if (!settings.data_dir().empty()) return settings.data_dir();
  const std::filesystem::path parent = std::filesystem::path(database_file(settings)).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace akr
