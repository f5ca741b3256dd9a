// database_client.hpp - a session with a MariaDB or PostgreSQL server beside the store: by the client libraries
// themselves, so that tests see what any other program would see.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/database_kinds.hpp"

namespace akr::test {

struct DatabaseLogin {
  DatabaseKind kind = DatabaseKind::kUnset;  // REQUIRES: kMysql or kPostgresql
  std::uint16_t port = 0;                    // of 127.0.0.1
  std::string user, password;
  std::string database;  // "": none (MariaDB), "postgres" (PostgreSQL)
};

// By one thread at a time.  Both throw std::runtime_error with the server's own words.
class DatabaseClient {
 public:
  explicit DatabaseClient(const DatabaseLogin& login);
  ~DatabaseClient();
  DatabaseClient(const DatabaseClient&) = delete;
  DatabaseClient& operator=(const DatabaseClient&) = delete;

  // One statement or several with ';' between them.  The first column of the first row there is, or "".
  std::string query(const std::string& sql);

 private:
  struct Session;
  struct MysqlSession;
  struct PostgresqlSession;
  std::unique_ptr<Session> session_;
};

}  // namespace akr::test
