// server_faults_fixture.hpp - for tests: a store on a server that the test maltreats.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "store/server_fixture.hpp"
#include "tests/support/example_config.hpp"

namespace akr {

// REQUIRES of every call: a server of this kind is installed.
template <class Fixture>
class ServerFaults : public testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kDeadline{2'000};
  static constexpr std::chrono::milliseconds kGrace{1'000};  // beyond the deadline

  void SetUp() override {
    if (const std::string package = Fixture::missing(); !package.empty()) GTEST_SKIP() << package << " is missing";
  }

  // What is said to the server of this kind.
  static std::string words(std::string mysql, std::string postgresql) {
    switch (Fixture::kind()) {
      case DatabaseKind::kMysql:
        return mysql;
      case DatabaseKind::kPostgresql:
        return postgresql;
      case DatabaseKind::kUnset:
      case DatabaseKind::kSqlite:
        break;
    }
    throw std::logic_error("no server");
  }

  // The clock is the real one: deadlines are.
  static StoreOptions options(const test::DatabaseProcess& server, const std::string& database) {
    return {.at = server.address(database), .encryption_key = kServerTestKey, .deadline = kDeadline};
  }

  // Ends all sessions of the store's account, as an administrator does, or a firewall.
  static void end_sessions(const test::DatabaseProcess& server) {
    server.sql(words("KILL USER akr", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'akr'"));
  }

  static Result<Service> write(Database& database) {
    static std::atomic<int> number = 0;
    return database.config().add_service(example_service("s" + std::to_string(++number)));
  }

  // Is refused as unavailable, and in time.
  template <class Call>
  static void expect_unavailable(Call call) {
    const auto begin = std::chrono::steady_clock::now();
    const auto result = call();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, kDeadline + kGrace);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kStoreUnavailable) << result.error().message;
  }
  static void expect_unavailable_write(Database& database) {
    expect_unavailable([&] { return write(database); });
  }

  template <class T>
  static void expect_success(const Result<T>& result) {
    EXPECT_TRUE(result) << result.error().message;
  }
};

}  // namespace akr
