// copy_side.hpp - one of the two databases that copy-database is told about.
#pragma once

#include <string>
#include <string_view>

#include "base/database_address.hpp"
#include "base/result.hpp"
#include "config/dotenv.hpp"

namespace akr {

inline constexpr std::string_view kFromSide = "from";
inline constexpr std::string_view kToSide = "to";

// `written`: an address as DATABASE_URL may hold it, or env:NAME for one that stands in a variable, so that its
// password is in no list of processes.  kInvalid, kUnsupported: "--from: ...", without a part of the address.
Result<DatabaseAddress> read_copy_side(std::string_view side, std::string_view written, const Environment& variables);

// "--from: MESSAGE", for the side that the error's field names.
Error with_side(Error error);

// 1 for a copy that was refused or differs (kConflict), 75 where a server of that side is away, else as exit_status().
int copy_exit_status(const Error& error, const DatabaseAddress& from, const DatabaseAddress& to);

}  // namespace akr
