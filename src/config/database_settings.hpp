// database_settings.hpp - one address out of DB_TYPE, DATABASE_URL, DATABASE_PATH and DB_*.
//
//   DB_TYPE, or else the scheme of DATABASE_URL, says which kind; neither: SQLite, whatever DB_* hold.
//   SQLite: the file of DATABASE_URL, or else DATABASE_PATH.
//   A server: what DATABASE_URL says; what it leaves out is filled from DB_USER, DB_PASSWORD, DB_NAME and DB_SSL_*, the
//   first three only where DB_HOST does not name another server.  Without DATABASE_URL: DB_*.
#pragma once

#include <string>
#include <string_view>

#include "base/database_address.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

namespace akr {

// kInvalid with the setting that cannot be read or contradicts another one.
Result<DatabaseAddress> read_database_address(const Settings& settings);

// "DB_HOST, DB_NAME": what was given and says something else than `address`, which is that of a server; "": nothing.
std::string overruled_settings(const Settings& settings, const DatabaseAddress& address);

// Which setting to look at when something is wrong with a part of the server's address: "host", "user", "password",
// "database", "tls", as Error::field of the store names them; all of it for any other word.
std::string setting_of_part(const Settings& settings, std::string_view part);

}  // namespace akr
