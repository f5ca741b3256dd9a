// database_files.hpp - the files of a SQLite database and what lies beside it: modes, identity, copies.
//
//   gateway.db  -wal  -shm  -journal      one database; SQLite gives the last three the mode of the first
//   gateway.db.bak-REASON[-N]             copies that SqliteBackend::keep_copy() made; .new and .tmp: unfinished ones
//
// Blocking.  No function fails: what cannot be looked at is left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/sql/sql_backend.hpp"

namespace akr {

// The files that a session at `path` works on now, by device and inode.
StorageMark identify_database(const std::string& path);

// Takes group's and others' rights off the database's files and its copies; returns those that could not be changed
// and still can be read by others.
std::vector<std::string> make_private(const std::string& path);

// Finished copies of keep_copy().
std::vector<std::string> kept_copies(const std::string& path);

// Removes what a killed process left behind: unfinished copies, and a rollback journal that has had its time (the
// database is in WAL mode).  REQUIRES: the database is open, so that a journal that was needed is no more.
void remove_leftovers(const std::string& path);

// Other SQLite databases in the same directory that hold API keys in plain text, by an api_keys table as the first
// version made it.  Opened read-only; nothing is written beside them.
std::vector<std::string> databases_with_plain_keys(const std::string& path);

}  // namespace akr
