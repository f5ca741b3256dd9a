#include "app/process.hpp"

#include <chrono>
#include <csignal>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/exit_status.hpp"
#include "base/log_writer.hpp"

namespace akr {
namespace {

constexpr const char* kDotenv = ".env";

}  // namespace

Result<std::unique_ptr<Settings>> settings_here() {
  auto text = read_dotenv_file(kDotenv);
  if (!text) return text.error();
  return load_settings(process_environment(), *text);
}

Result<Environment> variables_here() {
  auto text = read_dotenv_file(kDotenv);
  if (!text) return text.error();
  auto dotenv = parse_dotenv(*text);
  if (!dotenv) return dotenv.error();
  Environment all = process_environment();
  all.merge(*dotenv);
  return all;
}

void protect_memory() {
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void survive_failed_writes() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void tell(const Error& error) {
  write_patiently(STDERR_FILENO, "api-key-rotator: " + error.message + "\n", std::chrono::seconds(1));
}

int fail(const Error& error) {
  tell(error);
  return exit_status(error);
}

}  // namespace akr
