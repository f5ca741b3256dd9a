// sql_backend.hpp - what one database server needs beyond the common SQL: how to connect, its few own words, what its
// errors mean, and how a copy is made.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <soci/soci.h>

#include "base/result.hpp"

namespace akr {

// The words in which servers differ.
struct Dialect {
  std::string_view begin_write;    // takes the write lock at once, so that no transaction fails half-way for it
  std::string_view table_exists;   // one parameter :name; selects a count
  std::string_view column_exists;  // parameters :table, :name; selects a count
  std::string_view auto_id;        // column definition of a primary key whose numbers are never given out twice
};

// What a driver's error means.
struct SqlFailure {
  Error error;             // kConflict (field = column), kStoreUnavailable or kInternal; no SQL, no values
  bool reconnect = false;  // this session is not to be trusted any more
};

class SqlBackend {
 public:
  virtual ~SqlBackend() = default;
  virtual const Dialect& dialect() const = 0;
  // A session of its own; throws soci::soci_error.
  virtual std::unique_ptr<soci::session> connect() = 0;
  virtual SqlFailure explain(const soci::soci_error& error) const = 0;

  // Writes a consistent copy of the committed state to `path`, complete or not at all.  May be called inside a write
  // transaction; throws soci::soci_error too.
  virtual Result<void> copy_to(const std::string& path) = 0;
  // A copy beside the database, named after `reason`; returns its path.  Made before anything that cannot be undone;
  // a copy with the same content that already lies there is used again, so that a restart loop cannot fill the disk.
  virtual Result<std::string> keep_copy(std::string_view reason) = 0;
  // Called after plain secrets were replaced: nothing of the old text may stay in files of the database.
  virtual void forget_old_pages(soci::session& session) = 0;
};

}  // namespace akr
