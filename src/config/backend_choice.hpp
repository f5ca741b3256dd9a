// backend_choice.hpp - which database and which cluster state the settings ask for.
//
// The original's .env.example, copied as it is, sets DB_HOST and REDIS_HOST: those alone only hint.  DB_TYPE,
// CACHE_TYPE, DATABASE_URL and REDIS_URL are a choice, and a choice that this build cannot follow stops the start.
#pragma once

#include <string>

#include "base/result.hpp"
#include "config/backend_address.hpp"
#include "config/settings.hpp"

namespace akr {

// Validates what is given; kInvalid for an address that cannot be read or contradicts another setting, kUnsupported for
// a choice that this build lacks.  Adds a warning for hints that are ignored.
Result<void> check_backends(Settings& settings);

// The SQLite file.  REQUIRES: check_backends() passed.
std::string database_file(const Settings& settings);

// Where generated secrets live: DATA_DIR, or else the directory of the SQLite file.  REQUIRES: check_backends() passed.
std::string data_directory(const Settings& settings);

}  // namespace akr
