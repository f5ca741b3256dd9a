// sql_backend.hpp - what one database server needs beyond the common SQL: how to connect, its few own words, what its
// errors mean, and how a copy is made.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <soci/soci.h>

#include "base/result.hpp"

namespace akr {

// The words in which servers differ.
struct Dialect {
  std::string_view begin_write;    // takes the write lock at once, so that no transaction fails half-way for it
  std::string_view table_exists;   // one parameter :name; selects a count
  std::string_view column_exists;  // parameters :table, :name; selects a count
  std::string_view column_names;   // one parameter :table; selects the names
  std::string_view auto_id;        // column definition of a primary key whose numbers are never given out twice
};

// What a driver's error means.
struct SqlFailure {
  Error error;             // kConflict (field = column), kStoreUnavailable or kInternal; no SQL, no values
  bool reconnect = false;  // this session is not to be trusted any more
  bool lost = false;       // the error is storage_lost()
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

class SqlBackend {
 public:
  virtual ~SqlBackend() = default;
  virtual const Dialect& dialect() const = 0;
  // A session of its own; throws soci::soci_error.
  virtual std::unique_ptr<soci::session> connect() = 0;
  // Ends the session's transaction, if one is open, as if it had never begun.  Works without memory: it is what is left
  // to do when an allocation failed.  False: the session may still hold it, and is not to be used again.
  virtual bool undo(soci::session& session) noexcept = 0;
  virtual SqlFailure explain(const soci::soci_error& error) const = 0;

  // Writes a consistent copy of the committed state to `path`, complete or not at all.  May be called inside a write
  // transaction; throws soci::soci_error too.
  virtual Result<void> copy_to(const std::string& path) = 0;
  // A copy beside the database, named after `reason`; returns its path.  Made before anything that cannot be undone;
  // a copy with the same content that already lies there is used again, so that a restart loop cannot fill the disk.
  virtual Result<std::string> keep_copy(std::string_view reason) = 0;

  // Rewrites everything that the files of the session's database hold, so that nothing of rows that were replaced or
  // deleted stays in them.  kStoreUnavailable: not finished (no room, somebody reads); to be done again.
  virtual Result<void> scrub(soci::session& session) = 0;
  // The copies that keep_copy() made and that are still there, and a session on one.  Throws soci::soci_error.
  virtual std::vector<std::string> kept_copies() = 0;
  virtual std::unique_ptr<soci::session> open_copy(const std::string& path) = 0;
  // Other databases beside this one that hold API keys in plain text.
  virtual std::vector<std::string> plain_neighbours() = 0;

  // What a new session works on now.  A session whose mark does not hold any more writes into files that nobody will
  // find again.
  virtual StorageMark storage_mark() const = 0;
  virtual Error storage_lost() const = 0;  // what to say and do then
  // No room for another byte?  Cheap.
  virtual bool storage_full() const = 0;
};

}  // namespace akr
