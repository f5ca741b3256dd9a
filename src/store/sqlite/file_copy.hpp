// file_copy.hpp - making a written file permanent, and comparing two copies of a database.
#pragma once

#include <string>

namespace akr {

// Syncs `from`, renames it to `to` and syncs the directory: after it the file is there under its new name, or not at
// all.  false: an operating system error.
bool sync_and_rename(const std::string& from, const std::string& to);

// Same pages?  The first 100 bytes hold counters that change with each copy and are not compared.
bool same_database(const std::string& a, const std::string& b);

}  // namespace akr
