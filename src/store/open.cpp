#include "store/open.hpp"

#include "store/sql/sql_database.hpp"
#include "store/sqlite/sqlite_backend.hpp"

namespace akr {

Result<std::unique_ptr<Database>> open_database(const StoreOptions& options) {
  const SqlSettings settings{options.encryption_key, options.rest_total, options.clock};
  switch (options.kind) {
    case StoreKind::kSqlite:
      return open_sql_database(std::make_unique<SqliteBackend>(options.path), settings);
    case StoreKind::kMysql:
      return Error{ErrorCode::kUnsupported,
                   "This build stores in SQLite only; MySQL and MariaDB are not part of it yet."};
    case StoreKind::kPostgresql:
      return Error{ErrorCode::kUnsupported, "This build stores in SQLite only; PostgreSQL is not part of it yet."};
  }
  return Error{ErrorCode::kInternal, "unknown kind of database"};
}

}  // namespace akr
