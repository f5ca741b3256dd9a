#include "app/run.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include <malloc.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/app.hpp"
#include "app/commands/healthcheck.hpp"
#include "app/exit_status.hpp"
#include "app/first_start.hpp"
#include "app/memory_return.hpp"
#include "app/node_settings.hpp"
#include "base/ip_address.hpp"
#include "base/log.hpp"
#include "base/log_writer.hpp"
#include "config/backend_choice.hpp"
#include "config/load.hpp"
#include "store/open.hpp"

namespace akr {
namespace {

constexpr const char* kDotenv = ".env";

Result<std::unique_ptr<Settings>> settings_here() {
  auto text = read_dotenv_file(kDotenv);
  if (!text) return text.error();
  return load_settings(process_environment(), *text);
}

// A crash must not write the keys to a file, nor let another process of the user read them (reliability.md E-24).
void protect_memory() {
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void raise_descriptor_limit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// A file that may not grow any further (RLIMIT_FSIZE) is a failed write, as on a full disk, and not the end.
// SIGTERM and SIGINT are blocked in every thread and taken here, one by one.
sigset_t block_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  return stop;
}

// With patience for a slow reader, but an end.
void tell(const Error& error) {
  write_patiently(STDERR_FILENO, "api-key-rotator: " + error.message + "\n", std::chrono::seconds(1));
}

int fail(const Error& error) {
  tell(error);
  return exit_status(error);
}

// A thread may still be opening the database: what it uses stays until the process is gone.
[[noreturn]] void end_at_once() {
  log_info("stopped");
  end_logs_when([] { return true; });
  stop_log();
  std::_Exit(0);
}

}  // namespace

int run_gateway() {
  prepare_allocator();
  if (sodium_init() < 0) return 70;
  auto settings = settings_here();
  if (!settings) return fail(settings.error());
  protect_memory();
  raise_descriptor_limit();
  const sigset_t stop = block_signals();
  start_log((*settings)->log_level());
  for (const std::string& warning : (*settings)->warnings) log_warn("setting", {{"message", warning}});
  const auto stop_within = [&stop](std::chrono::milliseconds patience) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
    const timespec most = {seconds.count(), std::chrono::nanoseconds(patience - seconds).count()};
    return sigtimedwait(&stop, nullptr, &most) > 0;
  };
  auto app = App::start(**settings, stop_within);
  if (!app) {
    if (app.error().code == ErrorCode::kShuttingDown) end_at_once();
    stop_log();
    return fail(app.error());
  }
  ::malloc_trim(0);  // what the start needed once: settings, migrations, prepared statements
  int signal = 0;
  sigwait(&stop, &signal);
  bool hurry = false;
  const auto hurried = [&] { return hurry = hurry || stop_within(std::chrono::milliseconds(0)); };
  const TimePoint grace_ends = std::chrono::steady_clock::now() + (*settings)->shutdown_grace();
  (*app)->drain(hurried);
  // A reader of a log that stands still does not hold up the end.
  end_logs_when([&] { return hurried() || std::chrono::steady_clock::now() >= grace_ends; });
  app->reset();
  stop_log();
  return 0;
}

int run_plain_copy(const std::string& path) {
  auto settings = settings_here();
  if (!settings) return fail(settings.error());
  protect_memory();
  const DatabaseAddress at = database_at(**settings);
  if (is_server(at.kind)) {
    return fail({ErrorCode::kUnsupported,
                 "plain-copy works with SQLite only; move the database into a file first, with copy-database --to "
                 "sqlite:FILE, and start this again with DB_TYPE=sqlite and DATABASE_PATH=FILE"});
  }
  const std::string& file = at.file;
  if (!std::filesystem::exists(file)) {
    return fail({ErrorCode::kStoreUnavailable, "there is no database at " + file + " (DATABASE_PATH)"});
  }
  const auto secrets = prepare_first_start(first_start_input(**settings));
  if (!secrets) return fail(secrets.error());
  auto database = open_database(store_options(**settings, *secrets));
  if (!database) return fail(database.error());
  const auto keys = (*database)->plain_copy_to(path);
  if (!keys) return fail(keys.error());
  std::printf("%zu keys, in plain text, in %s: keep it to yourself, and remove it when it is not needed any more\n",
              *keys, path.c_str());
  return 0;
}

int run_healthcheck() {
  auto settings = settings_here();
  if (!settings) return fail(settings.error());
  HealthcheckTarget target;
  target.address = (*settings)->listen_address();
  target.port = static_cast<std::uint16_t>((*settings)->port());
  target.tls = !(*settings)->tls_cert_file().empty();
  if ((*settings)->proxy_protocol()) target.headers_from = parse_networks((*settings)->trusted_proxies()).value();
  const auto alive = check_health(target);
  if (alive) return 0;
  tell(alive.error());
  return kExitRefused;
}

}  // namespace akr
