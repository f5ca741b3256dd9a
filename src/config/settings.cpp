#include "config/settings.hpp"

namespace akr {
namespace {

constexpr Choice<DatabaseKind> kDatabaseKinds[] = {
    {"sqlite", DatabaseKind::kSqlite},  {"mysql", DatabaseKind::kMysql},   {"postgresql", DatabaseKind::kPostgresql},
    {"sqlite3", DatabaseKind::kSqlite}, {"mariadb", DatabaseKind::kMysql}, {"postgres", DatabaseKind::kPostgresql}};
constexpr Choice<CacheKind> kCacheKinds[] = {{"memory", CacheKind::kMemory}, {"redis", CacheKind::kRedis}};
constexpr Choice<LogLevel> kLogLevels[] = {{"debug", LogLevel::kDebug},
                                           {"info", LogLevel::kInfo},
                                           {"warn", LogLevel::kWarn},
                                           {"error", LogLevel::kError},
                                           {"warning", LogLevel::kWarn}};

}  // namespace

std::span<const Choice<DatabaseKind>> choices_of(DatabaseKind) { return kDatabaseKinds; }
std::span<const Choice<CacheKind>> choices_of(CacheKind) { return kCacheKinds; }
std::span<const Choice<LogLevel>> choices_of(LogLevel) { return kLogLevels; }

}  // namespace akr
