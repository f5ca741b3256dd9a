// dying_backend.hpp - for tests: a process that is killed in the n-th statement of opening a database.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sql/sql_database.hpp"
#include "store/sqlite/sqlite_backend.hpp"
#include "store/sqlite/sqlite_fixture.hpp"

namespace akr {

// Counts down through SOCI's query log: every statement passes it before it runs.
class CountDown final : public soci::logger_impl {
 public:
  explicit CountDown(int& left) : left_(left) {}
  void start_query(const std::string&) override {
    if (--left_ < 0) ::raise(SIGKILL);
  }

 private:
  logger_impl* do_clone() const override { return new CountDown(left_); }
  int& left_;
};

class DyingBackend final : public SqliteBackend {
 public:
  DyingBackend(std::string path, int statements) : SqliteBackend(std::move(path)), left_(statements) {}
  std::unique_ptr<soci::session> connect(const SessionPatience& patience) override {
    auto session = SqliteBackend::connect(patience);
    session->set_logger(soci::logger(new CountDown(left_)));
    return session;
  }

 private:
  int left_;
};

// Opens the database in a child that dies in the given statement; false: it came through without that many.
inline bool killed_while_opening(const std::string& path, int statement) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool opened = open_sql_database(std::make_unique<DyingBackend>(path, statement), {kTestKey}).has_value();
    ::_exit(opened ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return true;
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return false;
}

}  // namespace akr
