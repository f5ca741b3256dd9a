#include "store/open.hpp"

#include <unistd.h>

#include "store/sql/make_backend.hpp"
#include "store/sql/sql_database.hpp"
#include "store/sqlite/sqlite_backend.hpp"
#if AKR_WITH_MYSQL
#include "store/mysql/mysql_backend.hpp"
#endif
#if AKR_WITH_POSTGRESQL
#include "store/postgresql/postgresql_backend.hpp"
#endif

namespace akr {
namespace {

// The client libraries say of a file that is missing what they say of one that is wrong, or less.
Result<void> check_files(const DatabaseServer& server) {
  for (const std::string& file : {server.ca_file, server.cert_file, server.key_file}) {
    if (file.empty() || ::access(file.c_str(), R_OK) == 0) continue;
    return Error{.code = ErrorCode::kStoreRefused,
                 .message = "The file " + file + " cannot be read; correct its name, or let our user read it.",
                 .field = "tls"};
  }
  return {};
}

// THE list.  nullptr: not part of this build.
std::unique_ptr<SqlBackend> new_backend(const DatabaseAddress& at) {
  switch (at.kind) {
    case DatabaseKind::kUnset:
      return nullptr;
    case DatabaseKind::kSqlite:
      return std::make_unique<SqliteBackend>(at.file);
    case DatabaseKind::kMysql:
#if AKR_WITH_MYSQL
      return std::make_unique<MysqlBackend>(at.server);
#else
      return nullptr;
#endif
    case DatabaseKind::kPostgresql:
#if AKR_WITH_POSTGRESQL
      return std::make_unique<PostgresqlBackend>(at.server);
#else
      return nullptr;
#endif
  }
  return nullptr;
}

}  // namespace

bool is_built_in(DatabaseKind kind) { return new_backend({.kind = kind, .file = "unused", .server = {}}) != nullptr; }

Result<std::unique_ptr<SqlBackend>> make_backend(const DatabaseAddress& at) {
  auto backend = new_backend(at);
  if (!backend) return Error{ErrorCode::kUnsupported, "This build has no " + std::string(row_of(at.kind).title) + "."};
  if (auto files = check_files(at.server); !files) return files.error();
  return backend;
}

Result<std::unique_ptr<Database>> open_database(const StoreOptions& options) {
  auto backend = make_backend(options.at);
  if (!backend) return backend.error();
  return open_sql_database(*std::move(backend), {options.encryption_key, options.rest_total, options.clock,
                                                 options.most_sessions, options.deadline});
}

}  // namespace akr
