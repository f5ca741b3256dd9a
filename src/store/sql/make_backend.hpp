// make_backend.hpp - the backend of a kind of database; the list stands in store/open.cpp.
#pragma once

#include <memory>

#include "base/database_address.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

// nullptr: not part of this build.  Connects nowhere yet.
std::unique_ptr<SqlBackend> make_backend(const DatabaseAddress& at);

}  // namespace akr
