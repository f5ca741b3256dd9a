// open.hpp - THE list of databases, and how one is opened.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "store/database.hpp"

namespace akr {

enum class StoreKind { kSqlite, kMysql, kPostgresql };

struct StoreOptions {
  StoreKind kind = StoreKind::kSqlite;
  std::string path;                              // kSqlite: the file; its directory must exist
  Secret encryption_key;                         // at least 32 bytes
  std::chrono::milliseconds rest_total{30'000};  // PROXY_TIMEOUT: the default of services that set no total timeout
  const Clock* clock = &system_clock();
};

// Opens, migrates (a copy of an older database is made first: Database path + ".bak-<version>") and encrypts what is
// still plain.  Fails rather than continue with a database it does not understand.  Blocking.
Result<std::unique_ptr<Database>> open_database(const StoreOptions& options);

}  // namespace akr
