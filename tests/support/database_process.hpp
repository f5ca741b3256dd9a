// database_process.hpp - a private MariaDB or PostgreSQL server on a free port of 127.0.0.1, in a temporary directory.
//
//   DatabaseProcess server(DatabaseKind::kPostgresql);
//   server.sql("CREATE DATABASE akr_1");
//
// It ends with the object, and with the test process however that ends.  Needs the packages that
// missing_database_package() names, no configuration, and no root; as root, PostgreSQL runs as its user `postgres`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/database_address.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/database_client.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr::test {

struct DatabaseProcessOptions {
  // What is committed survives SIGKILL.  Else nothing is flushed, which makes it several times as fast.
  bool durable = false;
  std::vector<std::string> settings;    // "max_connections=5", of either server
  std::optional<CertificateFiles> tls;  // shown to clients that ask for TLS
  std::string directory;                // where its files lie; "": a temporary directory
};

// The accounts that every server of ours has, over TCP and by password.
inline constexpr const char* kDatabaseAdmin = "akr_admin";  // may everything
inline constexpr const char* kDatabaseUser = "akr";  // as operators make it: all of databases named akr_*, no more
inline constexpr const char* kDatabasePassword = "p@ss:w/rd %41";

// The Debian package whose server is not installed, or "".
std::string missing_database_package(DatabaseKind kind);

// Not thread-safe.  start() only from a thread that outlives the server: it ends with the thread that started it.
class DatabaseProcess {
 public:
  // Starts and waits until it answers.  Throws std::runtime_error with the end of its log.
  explicit DatabaseProcess(DatabaseKind kind, DatabaseProcessOptions options = {});
  ~DatabaseProcess();
  DatabaseProcess(const DatabaseProcess&) = delete;
  DatabaseProcess& operator=(const DatabaseProcess&) = delete;

  void launch();  // without waiting
  void start();   // on the same port, over the same files; waits until it answers
  void start_if_it_ended();
  void stop();   // in order; waits for the end
  void kill();   // SIGKILL to all its processes at once, as a power cut would
  void pause();  // SIGSTOP to all of them
  void resume();

  DatabaseKind kind() const { return kind_; }
  std::uint16_t port() const { return port_; }
  // As StoreOptions take it; `database` may be "".
  DatabaseAddress address(const std::string& database) const;
  DatabaseLogin admin(const std::string& database = "") const;
  // By the admin, in a session of its own.
  std::string sql(const std::string& text, const std::string& database = "") const;
  std::string socket() const;  // what stands for the host of a local session: a socket, or its directory
  std::string log() const;

 private:
  bool has_started();
  void wait_until_it_answers();
  bool has_ended();
  std::vector<std::string> command() const;
  std::vector<std::string> usual_command() const;
  std::vector<std::string> mysql_command() const;
  std::vector<std::string> postgresql_command() const;
  void signal_all(int signal) const;
  void wait_for_end();
  std::string file(const std::string& name) const { return directory_ + "/" + name; }

  const DatabaseKind kind_;
  const DatabaseProcessOptions options_;
  std::optional<TempDir> temporary_;
  std::string directory_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace akr::test
