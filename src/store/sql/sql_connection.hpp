// sql_connection.hpp - one session, used by one thread at a time, with transactions that cannot be forgotten.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

enum class StorageState { kHolds, kLost, kUnreachable };

// Waits for its turn, runs the work, and turns driver exceptions into errors; other exceptions (no memory) pass, after
// what was begun is undone.  A session that failed in a way that casts doubt on it (an I/O error) is dropped; the next
// call connects again.
class SqlConnection {
 public:
  explicit SqlConnection(SqlBackend& backend) : backend_(backend) {}

  // work(soci::session&) -> Result<T>, in one write transaction: committed if it returned a value, else rolled back.
  // What was committed is a success only if the files are still those that the next start will open.
  template <class Work>
  auto write(Work work) -> decltype(work(std::declval<soci::session&>())) {
    MutexLock lock(mutex_);
    try {
      soci::session& session = connected();
      if (!storage_holds()) return lost();
      run(session, backend_.dialect().begin_write);
      auto result = work(session);
      run(session, (result ? "COMMIT" : "ROLLBACK"));
      if (!storage_holds()) return lost();
      succeeded();
      write_failed_ = false;
      return result;
    } catch (const soci::soci_error& failure) {
      write_failed_ = true;
      return failed(failure);
    } catch (...) {
      roll_back();
      throw;
    }
  }

  // The same without a transaction: for one SELECT.
  template <class Work>
  auto read(Work work) -> decltype(work(std::declval<soci::session&>())) {
    MutexLock lock(mutex_);
    try {
      auto result = work(connected());
      succeeded();
      return result;
    } catch (const soci::soci_error& failure) {
      return failed(failure);
    }
  }

  // Would a write reach the files that the next start opens?  Connects if need be, writes nothing.
  StorageState check_storage();
  // The last write failed, and not for its values.
  bool write_failed() const { return write_failed_; }

 private:
  soci::session& connected() REQUIRES_LOCK(mutex_);
  bool storage_holds() REQUIRES_LOCK(mutex_) { return mark_.holds_in(backend_.storage_mark()); }
  Error lost() REQUIRES_LOCK(mutex_);
  Error failed(const soci::soci_error& failure) REQUIRES_LOCK(mutex_);
  void succeeded() REQUIRES_LOCK(mutex_);
  void tell(const Error& error) REQUIRES_LOCK(mutex_);
  void roll_back() noexcept REQUIRES_LOCK(mutex_);

  SqlBackend& backend_;
  Mutex mutex_;
  std::unique_ptr<soci::session> session_ GUARDED_BY(mutex_);
  StorageMark mark_ GUARDED_BY(mutex_);   // of the session's files
  bool lost_ GUARDED_BY(mutex_) = false;  // as the last failure said
  std::string told_ GUARDED_BY(mutex_);   // the failure that was logged last; "" since a call that worked
  std::atomic<bool> write_failed_ = false;
};

}  // namespace akr
