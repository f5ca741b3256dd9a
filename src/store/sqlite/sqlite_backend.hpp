// sqlite_backend.hpp - SqlBackend on a SQLite file.
//
// WAL, so that readers and the one writer do not wait for each other; synchronous = FULL, so that an acknowledged write
// survives a power loss; busy_timeout 5 s for other processes; foreign keys on; replaced and deleted bytes are zeroed.
// All files are the owner's alone (0600), also those that were adopted and those that SQLite makes later.
#pragma once

#include <string>

#include "base/mutex.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

class SqliteBackend : public SqlBackend {
 public:
  explicit SqliteBackend(std::string path) : path_(std::move(path)) {}

  const Dialect& dialect() const override;
  std::string where() const override { return path_; }
  std::unique_ptr<soci::session> connect(const SessionPatience& patience = {}) override;
  bool undo(soci::session& session) noexcept override;
  SqlFailure explain(const soci::soci_error& error) const override;
  Result<void> copy_to(const std::string& path) override;
  Result<std::string> keep_copy(soci::session&, std::string_view reason) override;  // path + ".bak-" + reason
  Result<void> scrub(soci::session& session, const std::string& prefix) override;
  std::vector<std::string> kept_copies(soci::session&) override;
  OpenedCopy open_copy(const std::string& path) override;
  std::vector<std::string> plain_neighbours() override;
  StorageMark storage_mark() const override;
  Error storage_lost() const override;
  bool storage_full() const override;

 private:
  void refuse_another_file();
  void tell_open_files();

  const std::string path_;
  Mutex mutex_;
  StorageMark first_ GUARDED_BY(mutex_);  // of the first session; only the database itself counts
  bool told_ GUARDED_BY(mutex_) = false;  // of files that others can read
};

}  // namespace akr
