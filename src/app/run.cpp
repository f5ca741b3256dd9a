#include "app/run.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include <malloc.h>
#include <sodium.h>
#include <sys/resource.h>

#include "app/app.hpp"
#include "app/commands/healthcheck.hpp"
#include "app/exit_status.hpp"
#include "app/memory_return.hpp"
#include "app/process.hpp"
#include "base/ip_address.hpp"
#include "base/log.hpp"
#include "base/log_writer.hpp"

namespace akr {
namespace {

void raise_descriptor_limit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// SIGTERM and SIGINT are blocked in every thread and taken here, one by one.
sigset_t block_signals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  return stop;
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
  survive_failed_writes();
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
