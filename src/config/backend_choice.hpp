// backend_choice.hpp - which database and which cluster state the settings ask for.
//
// The original's .env.example, copied as it is, sets DB_HOST and REDIS_HOST: those alone only hint.  DB_TYPE,
// CACHE_TYPE, DATABASE_URL and REDIS_URL are a choice, and nothing else is ever used in its place
// (docs/decisions/0017-which-database.md).  Whether this build has the chosen database, the store knows.
#pragma once

#include <string>

#include "base/database_address.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

namespace akr {

// Validates what is given; kInvalid for an address that cannot be read or contradicts another setting, kUnsupported for
// a cluster that this build lacks.  Adds a warning for hints that are ignored.
Result<void> check_backends(Settings& settings);

// The chosen database, with everything filled in.  REQUIRES: check_backends() passed.
DatabaseAddress database_at(const Settings& settings);

// Where generated secrets live: DATA_DIR, or else the directory of the SQLite file, or "data".  REQUIRES:
// check_backends() passed.
std::string data_directory(const Settings& settings);

}  // namespace akr
