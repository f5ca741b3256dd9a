// sqlite_backend.hpp - SqlBackend on a SQLite file.
//
// WAL, so that readers and the one writer do not wait for each other; synchronous = FULL, so that an acknowledged write
// survives a power loss; busy_timeout 5 s for other processes; foreign keys on; replaced and deleted bytes are zeroed.
#pragma once

#include <string>

#include "store/sql/sql_backend.hpp"

namespace akr {

class SqliteBackend : public SqlBackend {
 public:
  explicit SqliteBackend(std::string path) : path_(std::move(path)) {}

  const Dialect& dialect() const override;
  std::unique_ptr<soci::session> connect() override;
  SqlFailure explain(const soci::soci_error& error) const override;
  Result<void> copy_to(const std::string& path) override;
  Result<std::string> keep_copy(std::string_view reason) override;  // path + ".bak-" + reason
  void forget_old_pages(soci::session& session) override;

 private:
  const std::string path_;
};

}  // namespace akr
