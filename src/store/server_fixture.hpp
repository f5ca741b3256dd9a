// server_fixture.hpp - for tests: a database of its own on a server that the test process shares, and a raw way in
// beside the store.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "store/open.hpp"
#include "tests/support/database_process.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {

inline const Secret kServerTestKey("0123456789abcdef0123456789abcdef");

// What is missing to test servers of this kind, most often their package, or "".  AKR_DATABASES=required makes a
// package that is missing a failure: CI must not pass because it tested nothing.
inline std::string missing_server(DatabaseKind kind) {
  if (!is_built_in(kind)) return "in this build " + std::string(row_of(kind).title);
  std::string package = test::missing_database_package(kind);
  const char* wanted = std::getenv("AKR_DATABASES");
  if (!package.empty() && wanted != nullptr && std::string_view(wanted) == "required") {
    ADD_FAILURE() << package << " is missing";
  }
  return package;
}

// Started when it is first asked for; ends with the process.
inline test::DatabaseProcess& shared_server(DatabaseKind kind) {
  static std::mutex mutex;
  static std::map<DatabaseKind, test::DatabaseProcess> servers;
  const std::lock_guard lock(mutex);
  return servers.try_emplace(kind, kind).first->second;
}

// An empty database, dropped at the end.
class OwnDatabase {
 public:
  explicit OwnDatabase(const test::DatabaseProcess& server) : server_(server), name_(next_name()) {
    server.sql("CREATE DATABASE " + name_ + when_made(server.kind()));
  }
  OwnDatabase(const OwnDatabase&) = delete;
  OwnDatabase& operator=(const OwnDatabase&) = delete;
  ~OwnDatabase() {
    try {
      server_.sql("DROP DATABASE " + name_ + when_dropped(server_.kind()));
    } catch (const std::exception& failure) {  // its server may have ended with the test
      ADD_FAILURE() << failure.what();
    }
  }
  const std::string& name() const { return name_; }

 private:
  static std::string when_made(DatabaseKind kind) {
    switch (kind) {
      case DatabaseKind::kMysql:
        return "";  // its user may use all that are named so
      case DatabaseKind::kPostgresql:
        return " OWNER " + std::string(test::kDatabaseUser);
      case DatabaseKind::kUnset:
      case DatabaseKind::kSqlite:
        break;
    }
    throw std::logic_error("no server");
  }
  static std::string when_dropped(DatabaseKind kind) {
    switch (kind) {
      case DatabaseKind::kMysql:
        return "";
      case DatabaseKind::kPostgresql:
        return " WITH (FORCE)";
      case DatabaseKind::kUnset:
      case DatabaseKind::kSqlite:
        break;
    }
    throw std::logic_error("no server");
  }
  static std::string next_name() {
    static std::atomic<int> number = 0;
    return "akr_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
  }

  const test::DatabaseProcess& server_;
  const std::string name_;
};

template <DatabaseKind kKind>
class ServerFixture {
 public:
  static std::string missing() { return missing_server(kKind); }
  static constexpr DatabaseKind kind() { return kKind; }

  test::DatabaseProcess& server() const { return shared_server(kKind); }
  const std::string& database() const { return own().name(); }

  StoreOptions options() const {
    return {.at = server().address(database()), .encryption_key = kServerTestKey, .clock = &clock_};
  }
  std::unique_ptr<Database> open() const { return open_database(options()).value(); }

  // Runs SQL as any other program could; the first column of the first row, or "".  Throws.
  std::string sql(const std::string& text) const { return server().sql(text, database()); }

  ManualClock clock_;

 private:
  // Made when it is first needed: a fixture is there before its test could be skipped.
  const OwnDatabase& own() const {
    if (!own_) own_.emplace(server());
    return *own_;
  }
  mutable std::optional<OwnDatabase> own_;
};

using MysqlFixture = ServerFixture<DatabaseKind::kMysql>;
using PostgresqlFixture = ServerFixture<DatabaseKind::kPostgresql>;

// For the contracts: store_fixture.hpp.
template <class Fixture>
struct ServerHarness {
  static std::string missing() { return Fixture::missing(); }
  std::unique_ptr<Database> open(const Clock& clock) {
    StoreOptions options = fixture.options();
    options.clock = &clock;
    return open_database(options).value();
  }
  Fixture fixture;
};
using MysqlHarness = ServerHarness<MysqlFixture>;
using PostgresqlHarness = ServerHarness<PostgresqlFixture>;

}  // namespace akr
