#include "tests/support/database_process.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/database_files.hpp"
#include "tests/support/process_tree.hpp"

namespace akr::test {
namespace {

// Below the ports that the kernel gives to connections: one of those could take ours while the server is down.
std::uint16_t free_port() {
  static std::mt19937 random(std::random_device{}());
  for (;;) {
    const auto port = static_cast<std::uint16_t>(std::uniform_int_distribution<int>(15'000, 32'000)(random));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (free) return port;
  }
}

void add_settings(std::vector<std::string>& command, std::initializer_list<const char*> settings) {
  for (const char* setting : settings) command.push_back("--" + std::string(setting));
}

}  // namespace

std::string missing_database_package(DatabaseKind kind) {
  const ServerProgram& server = server_program(kind);
  return find_database_program(server.name).empty() ? server.package : "";
}

DatabaseProcess::DatabaseProcess(DatabaseKind kind, DatabaseProcessOptions options)
    : kind_(kind), options_(std::move(options)) {
  if (options_.directory.empty()) temporary_.emplace();
  directory_ = temporary_ ? temporary_->path().string() : options_.directory;
  give_to_server_user(kind_, directory_);
  make_data_directory(kind_, file("data"));
  if (kind_ == DatabaseKind::kMysql) {
    const std::string password = "' IDENTIFIED BY '" + std::string(kDatabasePassword) + "';\n";
    const std::string admin = "'" + std::string(kDatabaseAdmin) + "'@'%",
                      user = "'" + std::string(kDatabaseUser) + "'@'%";
    std::ofstream(file("accounts.sql")) << "CREATE USER IF NOT EXISTS " << admin << password
                                        << "CREATE USER IF NOT EXISTS " << user << password << "GRANT ALL ON *.* TO "
                                        << admin << "' WITH GRANT OPTION;\nGRANT ALL ON `akr\\_%`.* TO " << user
                                        << "';\n";
  }
  if (options_.tls) {
    // PostgreSQL insists on a key that is its own and that nobody else can read.
    for (const auto& [from, name] :
         {std::pair{options_.tls->certificate, "server.pem"}, {options_.tls->key, "server.key"}}) {
      std::filesystem::copy_file(from, file(name));
      std::filesystem::permissions(file(name), std::filesystem::perms::owner_read);
      give_to_server_user(kind_, file(name));
    }
  }
  for (int tries = 1; !has_started(); ++tries) {
    if (tries == 3) throw std::runtime_error("the database server does not start: " + log());
  }
}

// Somebody may take the port in between, so this is tried again.
bool DatabaseProcess::has_started() {
  port_ = free_port();
  try {
    start();
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

DatabaseProcess::~DatabaseProcess() {
  resume();
  if (process_ > 0) ::kill(process_, server_program(kind_).ends_at_once);
  wait_for_end();
  std::error_code ignored;
  if (!temporary_) std::filesystem::remove_all(file("data"), ignored);
}

std::vector<std::string> DatabaseProcess::command() const {
  std::vector<std::string> parts = usual_command();
  for (const std::string& setting : options_.settings) parts.push_back("--" + setting);
  return parts;
}

std::vector<std::string> DatabaseProcess::usual_command() const {
  switch (kind_) {
    case DatabaseKind::kMysql:
      return mysql_command();
    case DatabaseKind::kPostgresql:
      return postgresql_command();
    case DatabaseKind::kUnset:
    case DatabaseKind::kSqlite:
      break;
  }
  throw std::logic_error("no server");
}

std::vector<std::string> DatabaseProcess::mysql_command() const {
  std::vector<std::string> parts = {find_database_program("mariadbd"),
                                    "--no-defaults",
                                    "--user=" + std::string(::getpwuid(::geteuid())->pw_name),
                                    "--datadir=" + file("data"),
                                    "--socket=" + file("socket"),
                                    "--pid-file=" + file("pid"),
                                    "--init-file=" + file("accounts.sql"),
                                    "--port=" + std::to_string(port_)};
  add_settings(parts, {"bind-address=127.0.0.1", "skip-name-resolve", "skip-log-bin", "performance-schema=0",
                       "innodb-buffer-pool-size=32M", "innodb-log-file-size=8M", "innodb-autoextend-increment=1",
                       "innodb-use-native-aio=0", "max-connections=200", "character-set-server=utf8mb4"});
  if (!options_.durable) {
    add_settings(parts, {"innodb-flush-log-at-trx-commit=0", "innodb-doublewrite=0", "innodb-flush-method=nosync"});
  }
  if (options_.tls) {
    parts.push_back("--ssl-cert=" + file("server.pem"));
    parts.push_back("--ssl-key=" + file("server.key"));
  }
  return parts;
}

std::vector<std::string> DatabaseProcess::postgresql_command() const {
  std::vector<std::string> parts = {find_database_program("postgres"), "-D", file("data"),
                                    "--unix_socket_directories=" + directory_, "--port=" + std::to_string(port_)};
  add_settings(parts, {"listen_addresses=127.0.0.1", "shared_buffers=32MB", "max_connections=200", "max_wal_size=256MB",
                       "dynamic_shared_memory_type=mmap"});
  if (!options_.durable) add_settings(parts, {"fsync=off", "synchronous_commit=off", "full_page_writes=off"});
  if (options_.tls) {
    add_settings(parts, {"ssl=on"});
    parts.push_back("--ssl_cert_file=" + file("server.pem"));
    parts.push_back("--ssl_key_file=" + file("server.key"));
  }
  return parts;
}

void DatabaseProcess::launch() {
  const std::vector<std::string> parts = command();
  const std::string log = file("log");
  std::vector<char*> arguments;
  for (const std::string& part : parts) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("fork failed");
  if (process_ > 0) return;
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (in < 0 || out < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) ::_exit(126);
  ::setpgid(0, 0);  // Ctrl-C in the terminal is for the test
  become_server_user(kind_);
  // After the change of user, which takes it away.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

void DatabaseProcess::start() {
  launch();
  wait_until_it_answers();
}

void DatabaseProcess::start_if_it_ended() {
  if (has_ended()) start();
}

void DatabaseProcess::wait_until_it_answers() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string reason;
  while (std::chrono::steady_clock::now() < deadline) {
    if (has_ended()) throw std::runtime_error("the database server ended: " + log());
    try {
      DatabaseClient(admin()).query("SELECT 1");
      return;
    } catch (const std::runtime_error& not_yet) {
      reason = not_yet.what();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill();
  throw std::runtime_error("the database server does not answer (" + reason + "): " + log());
}

bool DatabaseProcess::has_ended() {
  if (process_ > 0 && ::waitpid(process_, nullptr, WNOHANG) == process_) process_ = -1;
  return process_ < 0;
}

void DatabaseProcess::wait_for_end() {
  if (process_ > 0) ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void DatabaseProcess::stop() {
  if (process_ > 0) ::kill(process_, server_program(kind_).ends_in_order);
  wait_for_end();
}

// The first process is stopped before the others are looked for, so that it makes no more of them and does not notice
// how they end.
void DatabaseProcess::signal_all(int signal) const {
  if (process_ <= 0) return;
  const bool continues = signal == SIGCONT;
  if (!continues) ::kill(process_, SIGSTOP);
  const std::vector<pid_t> children = children_of(process_);
  for (const pid_t child : children) ::kill(child, signal);
  ::kill(process_, signal);
  if (signal != SIGKILL) return;
  for (const pid_t child : children) wait_until_gone(child);  // else the next start finds their shared memory in use
}

void DatabaseProcess::kill() {
  signal_all(SIGKILL);
  wait_for_end();
}

void DatabaseProcess::pause() {
  signal_all(SIGSTOP);
  wait_until_stopped(process_);
  for (const pid_t child : children_of(process_)) wait_until_stopped(child);
}

void DatabaseProcess::resume() { signal_all(SIGCONT); }

DatabaseAddress DatabaseProcess::address(const std::string& database) const {
  return {.kind = kind_,
          .server = {.host = "127.0.0.1",
                     .port = port_,
                     .user = kDatabaseUser,
                     .password = Secret(kDatabasePassword),
                     .database = database}};
}

DatabaseLogin DatabaseProcess::admin(const std::string& database) const {
  return {.kind = kind_, .port = port_, .user = kDatabaseAdmin, .password = kDatabasePassword, .database = database};
}

std::string DatabaseProcess::sql(const std::string& text, const std::string& database) const {
  return DatabaseClient(admin(database)).query(text);
}

std::string DatabaseProcess::socket() const {
  return server_program(kind_).socket[0] == '\0' ? directory_ : file(server_program(kind_).socket);
}

std::string DatabaseProcess::log() const {
  std::ifstream in(file("log"), std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  return all.size() > 3000 ? all.substr(all.size() - 3000) : all;
}

}  // namespace akr::test
