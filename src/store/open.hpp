// open.hpp - how a database of any kind is opened.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "base/clock.hpp"
#include "base/database_address.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "store/database.hpp"

namespace akr {

struct StoreOptions {
  DatabaseAddress at;                            // kSqlite: the file's directory must exist
  Secret encryption_key;                         // at least 32 bytes
  std::chrono::milliseconds rest_total{30'000};  // PROXY_TIMEOUT: the default of services that set no total timeout
  const Clock* clock = &system_clock();
  std::size_t most_sessions = 10;             // with a server at once (DB_POOL_SIZE)
  std::chrono::milliseconds deadline{5'000};  // of one operation on a server, all its tries together (DB_TIMEOUT)
};

// Does this build have it?
bool is_built_in(DatabaseKind kind);

// Opens, migrates (a copy of an older database is made first) and encrypts what is still plain.  Fails rather than
// continue with a database it does not understand.  Blocking.
//   kStoreUnavailable  what may pass: out of reach, starting, no room for another session, the disk is full
//   kStoreRefused      what only a person mends: a wrong password, no such database, no right to write, too old
//   kUnsupported       not part of this build, or written by a newer version that this one cannot read
//   kLocked            the encryption key does not fit a database that needs an upgrade
Result<std::unique_ptr<Database>> open_database(const StoreOptions& options);

}  // namespace akr
