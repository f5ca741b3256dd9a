// mysql_backend.hpp - SqlBackend on MySQL (8.0 and later) and MariaDB (10.5 and later), over libmariadb.
//
// InnoDB tables in utf8mb4 that compare byte by byte; READ COMMITTED, so that writers wait for rows and not for gaps;
// strict mode; times in UTC.  ALTER and CREATE commit by themselves there: migrations can be repeated.
#pragma once

#include <atomic>

#include "base/database_address.hpp"
#include "store/sql/server_backend.hpp"

namespace akr {

class MysqlBackend final : public ServerBackend {
 public:
  explicit MysqlBackend(DatabaseServer server) : server_(std::move(server)) {}

  const Dialect& dialect() const override;
  std::string where() const override;
  std::unique_ptr<soci::session> connect(const SessionPatience& patience) override;
  void set_up(soci::session& session, const SessionPatience& patience) override;
  Result<void> examine(soci::session& session) override;
  int socket_of(soci::session& session) const override;
  bool undo(soci::session& session) noexcept override;
  SqlFailure explain(const soci::soci_error& error) const override;

 private:
  void check_tls(soci::session& session) const;

  const DatabaseServer server_;
  std::atomic<bool> is_mariadb_ = false;  // known once connected
};

}  // namespace akr
