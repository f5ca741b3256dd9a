#include "tests/support/database_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/database_process.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr::test {
namespace {

namespace fs = std::filesystem;

struct User {
  uid_t user = 0;
  gid_t group = 0;
};

// nobody's: we stay who we are.
std::optional<User> server_user(DatabaseKind kind) {
  if (kind != DatabaseKind::kPostgresql || ::geteuid() != 0) return std::nullopt;
  static const passwd* const kPostgres = ::getpwnam("postgres");
  if (kPostgres == nullptr) throw std::runtime_error("there is no user 'postgres'");
  return User{kPostgres->pw_uid, kPostgres->pw_gid};
}

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Runs it with its output into `output`; its exit status.
int run(DatabaseKind kind, const std::vector<std::string>& command, const std::string& output,
        const std::string& input) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  server_user(kind);  // looked up before the fork
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int in = ::open(input.c_str(), O_RDONLY);
    if (out < 0 || in < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) ::_exit(126);
    become_server_user(kind);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = -1;
  if (child < 0 || ::waitpid(child, &status, 0) != child) throw std::runtime_error("cannot run " + command[0]);
  return status;
}

void run_with_input(DatabaseKind kind, const std::vector<std::string>& command, const std::string& input) {
  const TempDir scratch;
  std::ofstream(scratch.file("input")) << input;
  if (run(kind, command, scratch.file("output"), scratch.file("input")) != 0) {
    throw std::runtime_error(command[0] + " failed: " + content(scratch.file("output")));
  }
}

void make_mysql(const std::string& directory) {
  run_database_program(DatabaseKind::kMysql,
                       {find_database_program("mariadb-install-db"), "--no-defaults",
                        "--user=" + std::string(::getpwuid(::geteuid())->pw_name), "--datadir=" + directory,
                        "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M",
                        "--innodb-autoextend-increment=1"});
}

void make_postgresql(const std::string& directory) {
  const TempDir scratch;
  const std::string password = scratch.file("password");
  std::ofstream(password) << kDatabasePassword << '\n';
  give_to_server_user(DatabaseKind::kPostgresql, scratch.path());
  give_to_server_user(DatabaseKind::kPostgresql, password);
  run_database_program(
      DatabaseKind::kPostgresql,
      {find_database_program("initdb"), "--pgdata=" + directory, "--no-sync", "--no-locale", "--encoding=UTF8",
       "--auth=scram-sha-256", "--username=" + std::string(kDatabaseAdmin), "--pwfile=" + password});
  // pg_hba.conf of initdb asks for passwords over TCP and the socket alike.
  run_with_input(DatabaseKind::kPostgresql,
                 {find_database_program("postgres"), "--single", "-D", directory, "-c", "fsync=off", "postgres"},
                 "CREATE ROLE " + std::string(kDatabaseUser) + " LOGIN PASSWORD '" + kDatabasePassword + "';\n");
}

void make_files(DatabaseKind kind, const std::string& directory) {
  switch (kind) {
    case DatabaseKind::kMysql:
      return make_mysql(directory);
    case DatabaseKind::kPostgresql:
      return make_postgresql(directory);
    case DatabaseKind::kUnset:
    case DatabaseKind::kSqlite:
      break;
  }
  throw std::logic_error("no server");
}

// Ours alone: others could lead us astray in a directory that everybody may write to.
fs::path cache_directory() {
  const char* set = std::getenv("AKR_DATABASE_CACHE");
  const fs::path path =
      set != nullptr ? fs::path(set) : fs::temp_directory_path() / ("akr-databases-" + std::to_string(::geteuid()));
  ::mkdir(path.c_str(), 0700);
  struct stat found = {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid()) {
    throw std::runtime_error(path.string() + " is not a directory of ours");
  }
  return path;
}

// Ownership included.
void copy_tree(const std::string& from, const std::string& to) {
  run_database_program(DatabaseKind::kMysql, {"/bin/cp", "-a", "--sparse=always", from, to});
}

// Of the server's version and of what is made here: another recipe needs another number.
std::string cache_name(DatabaseKind kind) {
  constexpr const char* kRecipe = "-1";
  const std::string program = find_database_program(server_program(kind).name);
  const TempDir scratch;
  run(DatabaseKind::kMysql, {program, "--version"}, scratch.file("version"), "/dev/null");
  std::string version = content(scratch.file("version"));
  std::erase_if(version, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-'; });
  return version.substr(0, 100) + kRecipe;
}

}  // namespace

const ServerProgram& server_program(DatabaseKind kind) {
  static constexpr ServerProgram kMariadb = {"mariadbd", "mariadb-server-core", SIGTERM, SIGKILL, "socket"};
  // SIGINT: "fast" shutdown.  SIGQUIT: at once, but it gives back a segment of shared memory, which SIGKILL leaves.
  static constexpr ServerProgram kPostgres = {"postgres", "postgresql", SIGINT, SIGQUIT, ""};
  switch (kind) {
    case DatabaseKind::kMysql:
      return kMariadb;
    case DatabaseKind::kPostgresql:
      return kPostgres;
    case DatabaseKind::kUnset:
    case DatabaseKind::kSqlite:
      break;
  }
  throw std::logic_error("no server");
}

std::string find_database_program(const std::string& name) {
  std::vector<fs::path> folders = {"/usr/sbin", "/usr/bin", "/usr/local/bin"};
  std::error_code none;
  std::vector<fs::path> versions;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", none)) versions.push_back(version.path());
  std::ranges::sort(versions, std::greater{});
  for (const fs::path& version : versions) folders.push_back(version / "bin");
  for (const fs::path& folder : folders) {
    // Debian's wrapper in /usr/bin has no part in this.
    if (::access((folder / name).c_str(), X_OK) == 0) return folder / name;
  }
  return "";
}

void make_data_directory(DatabaseKind kind, const std::string& directory) {
  static const fs::path kCache = cache_directory();
  const fs::path ready = kCache / cache_name(kind);
  if (!fs::exists(ready)) {
    // Made elsewhere: the server's user need not be able to reach the cache.
    const TempDir scratch;
    give_to_server_user(kind, scratch.path());
    const std::string made = scratch.file("data");
    make_files(kind, made);
    const std::string mine = ready.string() + "." + std::to_string(::getpid());
    copy_tree(made, mine);
    std::error_code lost;
    fs::rename(mine, ready, lost);  // fails if another process was faster
    if (lost) fs::remove_all(mine);
  }
  copy_tree(ready, directory);
}

void run_database_program(DatabaseKind kind, const std::vector<std::string>& command) {
  run_with_input(kind, command, "");
}

void become_server_user(DatabaseKind kind) {
  const auto user = server_user(kind);
  if (user && (::setgroups(0, nullptr) != 0 || ::setgid(user->group) != 0 || ::setuid(user->user) != 0)) ::_exit(125);
}

void give_to_server_user(DatabaseKind kind, const std::string& path) {
  const auto user = server_user(kind);
  if (user && ::chown(path.c_str(), user->user, user->group) != 0) throw std::runtime_error("chown " + path);
}

}  // namespace akr::test
