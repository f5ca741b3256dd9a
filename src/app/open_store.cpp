#include "app/open_store.hpp"

#include <algorithm>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "app/build_name.hpp"
#include "app/exit_status.hpp"
#include "app/node_settings.hpp"
#include "base/error_table.hpp"
#include "base/log.hpp"
#include "config/backend_address.hpp"
#include "config/backend_choice.hpp"
#include "config/database_settings.hpp"
#include "store/open.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;
using Opened = Result<std::unique_ptr<Database>>;

constexpr milliseconds kFirstPause{200};
constexpr milliseconds kLongestPause{2'000};
constexpr std::chrono::seconds kTellAgain{10};
constexpr milliseconds kPoll{20};

Error asked_to_stop() { return {ErrorCode::kShuttingDown, "asked to stop while the database was awaited"}; }

// A server that does not answer holds its caller for as long as DB_TIMEOUT; whoever asks us to stop does not wait for
// that.
Opened try_once(const DatabaseWait& wait) {
  std::packaged_task<Opened()> task(wait.open);
  auto opened = task.get_future();
  std::thread(std::move(task)).detach();
  while (opened.wait_for(kPoll) != std::future_status::ready) {
    if (wait.stop_within(milliseconds(0))) return asked_to_stop();
  }
  return opened.get();
}

Opened open_chosen(const Settings& settings, const StoreOptions& options, const StopWithin& stop_within) {
  if (!is_server(options.at.kind)) return open_database(options);
  const auto tell = [&](const Error& error) {
    log_warn("database_awaited", {{"database", without_password(options.at)},
                                  {"startup_wait_ms", settings.startup_wait().count()},
                                  {"message", blame_setting(settings, error).message}});
  };
  auto opened =
      await_database({[options] { return open_database(options); }, stop_within, settings.startup_wait(), tell});
  if (opened || opened.error().code != ErrorCode::kStoreUnavailable) return opened;
  Error away = opened.error();
  away.message = for_logs(away.message) +
                 " (awaited for STARTUP_WAIT=" + ValueText<milliseconds>::print(settings.startup_wait()) + ")";
  return away;
}

}  // namespace

Opened await_database(const DatabaseWait& wait) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + wait.longest;
  auto tell_at = Clock::now();
  for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    auto opened = try_once(wait);
    if (opened || opened.error().code != ErrorCode::kStoreUnavailable) return opened;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds(0)) return opened;
    if (Clock::now() >= tell_at) {
      wait.tell(opened.error());
      tell_at = Clock::now() + kTellAgain;
    }
    if (wait.stop_within(std::min(pause, left))) return asked_to_stop();
  }
}

Result<void> check_built_in(const Settings& settings) {
  const DatabaseKind kind = database_at(settings).kind;
  if (is_built_in(kind)) return {};
  return Error{ErrorCode::kUnsupported, setting_of_part(settings, "") + ": " + not_in_this_build(kind) +
                                            "; use that one, or DB_TYPE=sqlite for the file DATABASE_PATH"};
}

Opened open_store(const Settings& settings, const FirstStart& secrets, const StopWithin& stop_within) {
  auto database = open_chosen(settings, store_options(settings, secrets), stop_within);
  if (!database) return blame_setting(settings, database.error());
  if (!settings.reset_db_tables()) return database;
  auto backup = (*database)->reset_tables();
  if (!backup) return blame_setting(settings, backup.error());
  log_warn("tables_reset", {{"backup", *backup}, {"setting", "RESET_DB_TABLES"}});
  return database;
}

Error blame_setting(const Settings& settings, Error error) {
  if (error.code == ErrorCode::kShuttingDown || !is_server(database_at(settings).kind)) return error;
  error.message = setting_of_part(settings, error.field) + ": " + for_logs(error.message);
  if (error.code == ErrorCode::kStoreUnavailable) error.field = kServerAway;
  return error;
}

}  // namespace akr
