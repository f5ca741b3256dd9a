// open_store.hpp - opens the database that the settings choose, and waits for a server that may yet come.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "app/first_start.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"
#include "store/database.hpp"

namespace akr {

// Waits so long, or until the process is asked to stop: then true.
using StopWithin = std::function<bool(std::chrono::milliseconds)>;

// kUnsupported, with the setting that chose it: this build lacks the database.  Nothing is touched.
Result<void> check_built_in(const Settings& settings);

// RESET_DB_TABLES included.  A server's kStoreUnavailable is tried again until STARTUP_WAIT has passed; what only a
// person mends is told at once.  kShuttingDown: asked to stop meanwhile; a thread may be left behind in its last try,
// so end the process without tearing anything down.  Other errors as open_database(), those of a server with the
// setting in front.
Result<std::unique_ptr<Database>> open_store(const Settings& settings, const FirstStart& secrets,
                                             const StopWithin& stop_within);

// An error of the store with the setting in front that brought us there; SQLite's, which name their file, stay as they
// are.  A server that is away is marked for exit_status().
Error blame_setting(const Settings& settings, Error error);

// The waiting alone, for open_store() and its tests.
struct DatabaseWait {
  std::function<Result<std::unique_ptr<Database>>()> open;  // on a thread of its own, by value
  StopWithin stop_within;
  std::chrono::milliseconds longest;
  std::function<void(const Error&)> tell;  // at first, and every 10 s
};
Result<std::unique_ptr<Database>> await_database(const DatabaseWait& wait);

}  // namespace akr
