// copy_database.hpp - everything that one database holds, moved into another, of any kind.
//
// Keys travel sealed: both databases are used with the same encryption key, and nothing is opened on the way.  The
// source is only read, and migrated first if it is an older one.  The target is a database without tables or with empty
// ones, or one that an earlier call was interrupted in: it goes on where that one stopped.  While it is being filled
// the gateway refuses to start on it.  At the end every table is counted and its rows compared by checksum.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/open.hpp"

namespace akr {

struct CopiedTable {
  std::string name;
  std::uint64_t rows = 0;
};

// Said after each batch: "api_keys", 20000 of 100000.
using CopyProgress = std::function<void(std::string_view table, std::uint64_t done, std::uint64_t all)>;

// Blocking, for as long as it takes.  Errors as open_database(), with Error::field "from" or "to", and
//   kConflict  the target holds other things, the source was written to meanwhile, or the rows differ at the end
Result<std::vector<CopiedTable>> copy_database(const StoreOptions& from, const StoreOptions& to,
                                               const CopyProgress& progress = {});

}  // namespace akr
