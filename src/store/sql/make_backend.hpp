// make_backend.hpp - the backend of a kind of database; the list stands in store/open.cpp.
#pragma once

#include <memory>

#include "base/database_address.hpp"
#include "base/result.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

// Connects nowhere yet.  kUnsupported: not part of this build.  kStoreRefused: a file that TLS needs cannot be read.
Result<std::unique_ptr<SqlBackend>> make_backend(const DatabaseAddress& at);

}  // namespace akr
