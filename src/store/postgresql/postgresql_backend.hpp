// postgresql_backend.hpp - SqlBackend on PostgreSQL (12 and later), over libpq.
//
// READ COMMITTED, times in UTC, UTF-8 on both sides.  CREATE and ALTER are undone with their transaction.  A pooler in
// between must give each session a server connection of its own (pgbouncer: pool_mode = session).
#pragma once

#include "base/database_address.hpp"
#include "store/sql/server_backend.hpp"

namespace akr {

class PostgresqlBackend final : public ServerBackend {
 public:
  explicit PostgresqlBackend(DatabaseServer server) : server_(std::move(server)) {}

  const Dialect& dialect() const override;
  std::string where() const override;
  std::unique_ptr<soci::session> connect(const SessionPatience& patience) override;
  void set_up(soci::session& session, const SessionPatience& patience) override;
  Result<void> examine(soci::session& session) override;
  int socket_of(soci::session& session) const override;
  bool undo(soci::session& session) noexcept override;
  SqlFailure explain(const soci::soci_error& error) const override;

 private:
  const DatabaseServer server_;
};

}  // namespace akr
