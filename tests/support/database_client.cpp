#include "tests/support/database_client.hpp"

#include <stdexcept>

#include <libpq-fe.h>
#include <mysql.h>

namespace akr::test {

struct DatabaseClient::Session {
  virtual ~Session() = default;
  virtual std::string query(const std::string& sql) = 0;
};

struct DatabaseClient::MysqlSession : Session {
  explicit MysqlSession(const DatabaseLogin& login) : mysql(mysql_init(nullptr)) {
    const unsigned seconds = 10;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const char* database = login.database.empty() ? nullptr : login.database.c_str();
    if (mysql_real_connect(mysql, "127.0.0.1", login.user.c_str(), login.password.c_str(), database, login.port,
                           nullptr, CLIENT_MULTI_STATEMENTS) == nullptr) {
      const std::string reason = mysql_error(mysql);
      mysql_close(mysql);
      throw std::runtime_error(reason);
    }
  }
  ~MysqlSession() override { mysql_close(mysql); }

  std::string query(const std::string& sql) override {
    int status = mysql_real_query(mysql, sql.data(), sql.size());
    std::string first;
    bool found = false;
    for (; status == 0; status = mysql_next_result(mysql)) {
      MYSQL_RES* rows = mysql_store_result(mysql);
      if (rows == nullptr) continue;
      MYSQL_ROW row = found ? nullptr : mysql_fetch_row(rows);
      if (row != nullptr) {
        found = true;
        if (row[0] != nullptr) first.assign(row[0], mysql_fetch_lengths(rows)[0]);
      }
      mysql_free_result(rows);
    }
    if (status > 0) throw std::runtime_error(mysql_error(mysql));  // -1: that was the last result
    return first;
  }

  MYSQL* mysql;
};

struct DatabaseClient::PostgresqlSession : Session {
  explicit PostgresqlSession(const DatabaseLogin& login) {
    const std::string port = std::to_string(login.port);
    const std::string database = login.database.empty() ? "postgres" : login.database;
    const char* const names[] = {"host", "port", "user", "password", "dbname", "connect_timeout", nullptr};
    const char* const values[] = {
        "127.0.0.1", port.c_str(), login.user.c_str(), login.password.c_str(), database.c_str(), "10", nullptr};
    connection = PQconnectdbParams(names, values, 0);
    if (PQstatus(connection) != CONNECTION_OK) {
      const std::string reason = PQerrorMessage(connection);
      PQfinish(connection);
      throw std::runtime_error(reason);
    }
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
  }
  ~PostgresqlSession() override { PQfinish(connection); }

  std::string query(const std::string& sql) override {
    if (PQsendQuery(connection, sql.c_str()) == 0) throw std::runtime_error(PQerrorMessage(connection));
    std::string first, reason;
    bool found = false;
    while (PGresult* result = PQgetResult(connection)) {
      if (PQresultStatus(result) == PGRES_FATAL_ERROR) reason = PQresultErrorMessage(result);
      if (!found && PQntuples(result) > 0 && PQnfields(result) > 0) {
        found = true;
        first.assign(PQgetvalue(result, 0, 0), static_cast<std::size_t>(PQgetlength(result, 0, 0)));
      }
      PQclear(result);
    }
    if (!reason.empty()) throw std::runtime_error(reason);
    return first;
  }

  PGconn* connection;
};

DatabaseClient::DatabaseClient(const DatabaseLogin& login) {
  switch (login.kind) {
    case DatabaseKind::kMysql:
      session_ = std::make_unique<MysqlSession>(login);
      return;
    case DatabaseKind::kPostgresql:
      session_ = std::make_unique<PostgresqlSession>(login);
      return;
    case DatabaseKind::kUnset:
    case DatabaseKind::kSqlite:
      break;
  }
  throw std::logic_error("no server");
}

DatabaseClient::~DatabaseClient() = default;

std::string DatabaseClient::query(const std::string& sql) { return session_->query(sql); }

}  // namespace akr::test
