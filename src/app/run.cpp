#include "app/run.hpp"

#include <csignal>
#include <cstdio>
#include <ctime>

#include <malloc.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "app/app.hpp"
#include "app/commands/healthcheck.hpp"
#include "app/memory_return.hpp"
#include "base/log.hpp"
#include "config/load.hpp"

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

// SIGTERM and SIGINT are blocked in every thread and taken here, one by one.
sigset_t block_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  return stop;
}

int fail(const Error& error) {
  std::fprintf(stderr, "api-key-rotator: %s\n", error.message.c_str());
  return error.code == ErrorCode::kStoreUnavailable ? kExitStore : kExitConfig;
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
  auto app = App::start(**settings);
  if (!app) {
    stop_log();
    return fail(app.error());
  }
  ::malloc_trim(0);  // what the start needed once: settings, migrations, prepared statements
  int signal = 0;
  sigwait(&stop, &signal);
  const auto second_signal = [&stop] {
    const timespec now = {};
    return sigtimedwait(&stop, nullptr, &now) > 0;
  };
  bool hurry = false;
  (*app)->drain([&] { return hurry = hurry || second_signal(); });
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
  const auto alive = check_health(target);
  if (alive) return 0;
  std::fprintf(stderr, "api-key-rotator: %s\n", alive.error().message.c_str());
  return 1;
}

}  // namespace akr
