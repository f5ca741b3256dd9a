// sql_backend.hpp - what one SQL server adds to the common SQL: how to connect, its few own words, what its errors
// mean, and how copies are made.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <soci/soci.h>

#include "base/result.hpp"
#include "store/sql/dialect.hpp"

namespace akr {

// What a driver's error means.
struct SqlFailure {
  Error error;  // kConflict (field = column), kStoreUnavailable, kStoreRefused or kInternal; no SQL, no values
  bool reconnect = false;  // this session is not to be trusted any more
  bool lost = false;       // the error is storage_lost()
  bool passes = false;     // the same transaction may work at once: a deadlock, a session that was cut
};

// The files behind a session: device and inode of each, zeros for one that is not there (yet).
struct StorageMark {
  struct File {
    std::uint64_t device = 0, inode = 0;
    friend bool operator==(const File&, const File&) = default;
  };
  std::array<File, 3> files;

  // Are all files of this mark still what they were, in `now`?
  bool holds_in(const StorageMark& now) const {
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (files[i] != File{} && files[i] != now.files[i]) return false;
    }
    return true;
  }
};

// How long a session waits.  SQLite has no use for it.
struct SessionPatience {
  std::chrono::milliseconds reach{5'000};       // until it is connected
  std::chrono::milliseconds answer{3'600'000};  // for one answer, if nobody ends the wait from outside before
  std::chrono::milliseconds lock{5'000};        // for one lock
};

// A copy that keep_copy() made, opened.
struct OpenedCopy {
  std::unique_ptr<soci::session> session;
  std::string prefix;  // of its tables' names: "api_keys" is there as prefix + "api_keys"
};

class SqlBackend {
 public:
  virtual ~SqlBackend() = default;
  virtual const Dialect& dialect() const = 0;  // known once a session was connected
  virtual std::string where() const = 0;       // for people: "MySQL at db:3306", or the file

  // A session of its own; throws soci::soci_error.
  virtual std::unique_ptr<soci::session> connect(const SessionPatience& patience) = 0;
  // Tells a new session what holds for all.  Apart from connect(), so that this wait can be ended from outside, too;
  // throws as well.
  virtual void set_up(soci::session&, const SessionPatience&) {}
  // Is the server one that we can work with?  Asked once, before its tables are looked at.
  virtual Result<void> examine(soci::session&) { return {}; }
  // The socket of the session, so that a wait for its server can be ended from outside; -1: there is none.
  virtual int socket_of(soci::session&) const { return -1; }
  // Ends the session's transaction, if one is open, as if it had never begun.  Works without memory: it is what is left
  // to do when an allocation failed.  False: the session may still hold it, and is not to be used again.
  virtual bool undo(soci::session& session) noexcept = 0;
  virtual SqlFailure explain(const soci::soci_error& error) const = 0;

  // Writes a consistent copy of the committed state to the file `path`, complete or not at all.  May be called inside a
  // write transaction; throws soci::soci_error too.  kUnsupported: the server has tools of its own for it.
  virtual Result<void> copy_to(const std::string& path) = 0;
  // A copy beside the database, named after `reason`; returns its name.  Made before anything that cannot be undone, in
  // a transaction of `session`; a copy with the same content that already lies there is used again, so that a restart
  // loop cannot fill the disk.
  virtual Result<std::string> keep_copy(soci::session& session, std::string_view reason) = 0;

  // Rewrites everything that the files of the session's database hold, so that nothing of rows that were replaced or
  // deleted stays in them.  kStoreUnavailable: not finished (no room, somebody reads); to be done again.
  // `prefix`: of the tables of a copy, or "".
  virtual Result<void> scrub(soci::session& session, const std::string& prefix) = 0;
  // The copies that keep_copy() made and that are still there, and one of them opened.  Throws soci::soci_error.
  virtual std::vector<std::string> kept_copies(soci::session& session) = 0;
  virtual OpenedCopy open_copy(const std::string& name) = 0;
  // Other databases beside this one that hold API keys in plain text.
  virtual std::vector<std::string> plain_neighbours() { return {}; }

  // What a new session works on now.  A session whose mark does not hold any more writes into files that nobody will
  // find again.
  virtual StorageMark storage_mark() const { return {}; }
  virtual Error storage_lost() const { return {}; }  // what to say and do then
  // No room for another byte?  Cheap.
  virtual bool storage_full() const { return false; }
};

}  // namespace akr
