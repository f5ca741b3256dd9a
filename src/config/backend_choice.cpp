#include "config/backend_choice.hpp"

#include <filesystem>

#include "config/backend_address.hpp"
#include "config/database_settings.hpp"
#include "config/database_words.hpp"

namespace akr {
namespace {

Error unsupported(const SettingBase& setting, std::string_view reason) {
  Error error = setting.refusal(reason);
  error.code = ErrorCode::kUnsupported;
  return error;
}

void warn_of_sqlite(Settings& settings, const DatabaseAddress& address) {
  if (settings.db_type() == DatabaseKind::kSqlite) {
    if (settings.database_url.given() && is_server(parse_database_url(settings.database_url().expose())->says.kind)) {
      settings.warnings.push_back("DATABASE_URL is ignored because DB_TYPE=sqlite");
    }
    return;
  }
  const std::string hints =
      given_names({&settings.db_host, &settings.db_user, &settings.mysql_db_host, &settings.mysql_host});
  if (hints.empty()) return;
  settings.warnings.push_back(hints + ": ignored, they choose no database; the SQLite file " + address.file +
                              " is used. DB_TYPE=" + server_words() +
                              " uses that server, DB_TYPE=sqlite silences this warning");
}

void warn_of_server(Settings& settings, const DatabaseAddress& address) {
  if (settings.database_url.given()) {
    const std::string overruled = overruled_settings(settings, address);
    if (!overruled.empty()) settings.warnings.push_back(overruled + ": ignored, DATABASE_URL says otherwise");
  }
  if (settings.encryption_key.given()) return;
  settings.warnings.push_back("ENCRYPTION_KEY is not set: the one in " + data_directory(settings) +
                              "/encryption_key is used; every other gateway on this database needs the same");
}

Result<void> check_database(Settings& settings) {
  const auto address = read_database_address(settings);
  if (!address) return address.error();
  is_server(address->kind) ? warn_of_server(settings, *address) : warn_of_sqlite(settings, *address);
  return {};
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

DatabaseAddress database_at(const Settings& settings) { return read_database_address(settings).value(); }

std::string data_directory(const Settings& settings) {
  if (!settings.data_dir().empty()) return settings.data_dir();
  const DatabaseAddress address = database_at(settings);
  if (is_server(address.kind)) return "data";
  const std::filesystem::path parent = std::filesystem::path(address.file).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace akr
