// sql_connection.hpp - one session, used by one thread at a time, with transactions that cannot be forgotten.
#pragma once

#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

// Waits for its turn, runs the work, and turns driver exceptions into errors.  A session that failed in a way that
// casts doubt on it (an I/O error) is dropped; the next call connects again.
class SqlConnection {
 public:
  explicit SqlConnection(SqlBackend& backend) : backend_(backend) {}

  // work(soci::session&) -> Result<T>, in one write transaction: committed if it returned a value, else rolled back.
  template <class Work>
  auto write(Work work) -> decltype(work(std::declval<soci::session&>())) {
    MutexLock lock(mutex_);
    try {
      soci::session& session = connected();
      session << backend_.dialect().begin_write;
      auto result = work(session);
      session << (result ? "COMMIT" : "ROLLBACK");
      told_.clear();
      return result;
    } catch (const soci::soci_error& failure) {
      return failed(failure);
    }
  }

  // The same without a transaction: for one SELECT.
  template <class Work>
  auto read(Work work) -> decltype(work(std::declval<soci::session&>())) {
    MutexLock lock(mutex_);
    try {
      auto result = work(connected());
      told_.clear();
      return result;
    } catch (const soci::soci_error& failure) {
      return failed(failure);
    }
  }

 private:
  soci::session& connected() REQUIRES_LOCK(mutex_);
  Error failed(const soci::soci_error& failure) REQUIRES_LOCK(mutex_);

  SqlBackend& backend_;
  Mutex mutex_;
  std::unique_ptr<soci::session> session_ GUARDED_BY(mutex_);
  std::string told_ GUARDED_BY(mutex_);  // the failure that was logged last; "" since a call that worked
};

}  // namespace akr
