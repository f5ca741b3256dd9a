// exit_status.hpp - what the process ends with, as the documentation promises it (numbers of sysexits.h).
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace akr {

inline constexpr int kExitRefused = 1;  // a copy that cannot be made; not healthy
inline constexpr int kExitStore = 73;   // the data directory or the database cannot be written
inline constexpr int kExitAway = 75;    // the database server cannot be reached, which may pass
inline constexpr int kExitConfig = 78;  // a setting is wrong

// Error::field of a kStoreUnavailable that is about a server.
inline constexpr std::string_view kServerAway = "STARTUP_WAIT";

// Of a start that failed; 0 for kShuttingDown.
int exit_status(const Error& error);

}  // namespace akr
