// key_ids.hpp - ids of keys, none of them given out twice.
#pragma once

#include <cstddef>

#include <soci/soci.h>

#include "base/result.hpp"
#include "store/sql/sql_sessions.hpp"

namespace akr {

class KeyIds {
 public:
  // `apart`: sessions for nothing else, so that an import that takes seconds holds up no other; nullptr: the file has
  // one writer anyway.  Outlives the KeyIds.
  explicit KeyIds(SqlSessions* apart) : apart_(apart) {}

  // The first of `count` ids in a row, above all that were ever given out.  `session`: in the caller's transaction.
  // Throws soci::soci_error.
  Result<long long> reserve(soci::session& session, const Dialect& dialect, std::size_t count);

 private:
  SqlSessions* apart_;
};

}  // namespace akr
