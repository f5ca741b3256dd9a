#include "store/sql/sql_connection.hpp"

#include "base/log.hpp"

namespace akr {

soci::session& SqlConnection::connected() {
  if (!session_) {
    session_ = backend_.connect();
    mark_ = backend_.storage_mark();
  }
  return *session_;
}

StorageState SqlConnection::check_storage() {
  MutexLock lock(mutex_);
  try {
    connected();
    if (storage_holds()) return StorageState::kHolds;
    lost();
    return StorageState::kLost;
  } catch (const soci::soci_error& failure) {
    failed(failure);
    return lost_ ? StorageState::kLost : StorageState::kUnreachable;
  }
}

Error SqlConnection::lost() {
  Error error = backend_.storage_lost();
  tell(error);
  write_failed_ = true;
  return error;
}

Error SqlConnection::failed(const soci::soci_error& failure) {
  roll_back();
  SqlFailure what = backend_.explain(failure);
  if (what.reconnect) session_.reset();
  lost_ = what.lost;
  if (what.error.code == ErrorCode::kConflict) {
    write_failed_ = false;  // the values were refused, the database works
  } else {
    tell(what.error);
  }
  return what.error;
}

// A disk stays full for hours, and everybody tries again.
void SqlConnection::tell(const Error& error) {
  if (error.message == told_) return;
  told_ = error.message;
  log_error("store_failed", {{"code", to_string(error.code)}, {"message", error.message}});
}

void SqlConnection::succeeded() { told_.clear(); }

void SqlConnection::roll_back() noexcept {
  if (session_ && !backend_.undo(*session_)) session_.reset();
}

}  // namespace akr
