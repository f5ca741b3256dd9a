#include "store/sql/sql_connection.hpp"

#include "base/log.hpp"

namespace akr {

soci::session& SqlConnection::connected() {
  if (!session_) session_ = backend_.connect();
  return *session_;
}

Error SqlConnection::failed(const soci::soci_error& failure) {
  SqlFailure what = backend_.explain(failure);
  if (session_) {
    try {
      *session_ << "ROLLBACK";
    } catch (const soci::soci_error&) {
      // No transaction was open, or the server ended it itself.  Both leave nothing to undo.
    }
  }
  if (what.reconnect) session_.reset();
  if (what.error.code != ErrorCode::kConflict && what.error.message != told_) {
    told_ = what.error.message;  // a disk stays full for hours, and everybody tries again
    log_error("store_failed", {{"code", to_string(what.error.code)}, {"message", what.error.message}});
  }
  return what.error;
}

}  // namespace akr
