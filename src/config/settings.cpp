#include "config/settings.hpp"

#include <array>

namespace akr {
namespace {

// What stands first of each kind is what documentation and errors name.
constexpr auto kDatabaseWords = [] {
  std::array<Choice<DatabaseKind>, 2 * kDatabaseKinds.size()> words{};
  for (std::size_t i = 0; i < kDatabaseKinds.size(); ++i) {
    words[i] = {kDatabaseKinds[i].words[0], kDatabaseKinds[i].kind};
    words[kDatabaseKinds.size() + i] = {kDatabaseKinds[i].words[1], kDatabaseKinds[i].kind};
  }
  return words;
}();
constexpr Choice<DatabaseTls> kTlsModes[] = {{"disable", DatabaseTls::kDisable},
                                             {"prefer", DatabaseTls::kPrefer},
                                             {"require", DatabaseTls::kRequire},
                                             {"verify-ca", DatabaseTls::kVerifyCa},
                                             {"verify-full", DatabaseTls::kVerifyFull}};
constexpr Choice<CacheKind> kCacheKinds[] = {{"memory", CacheKind::kMemory}, {"redis", CacheKind::kRedis}};
constexpr Choice<LogLevel> kLogLevels[] = {{"debug", LogLevel::kDebug},
                                           {"info", LogLevel::kInfo},
                                           {"warn", LogLevel::kWarn},
                                           {"error", LogLevel::kError},
                                           {"warning", LogLevel::kWarn}};

}  // namespace

std::span<const Choice<DatabaseKind>> choices_of(DatabaseKind) { return kDatabaseWords; }
std::span<const Choice<DatabaseTls>> choices_of(DatabaseTls) { return kTlsModes; }
std::span<const Choice<CacheKind>> choices_of(CacheKind) { return kCacheKinds; }
std::span<const Choice<LogLevel>> choices_of(LogLevel) { return kLogLevels; }

}  // namespace akr
