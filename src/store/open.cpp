#include "store/open.hpp"

#include "store/sql/sql_database.hpp"
#include "store/sqlite/sqlite_backend.hpp"

namespace akr {

Result<std::unique_ptr<Database>> open_database(const StoreOptions& options) {
  const SqlSettings settings{options.encryption_key, options.rest_total, options.clock};
  if (!is_built_in(options.at.kind)) {
    return Error{ErrorCode::kUnsupported, "This build has no " + std::string(row_of(options.at.kind).title) + "."};
  }
  return open_sql_database(std::make_unique<SqliteBackend>(options.at.file), settings);
}

bool is_built_in(DatabaseKind kind) { return kind == DatabaseKind::kSqlite; }

}  // namespace akr
