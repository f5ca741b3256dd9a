// Transactions that a server broke off: which are begun anew, how often, and what is told.
#include "store/sql/sql_sessions.hpp"

#include <gtest/gtest.h>

#include "store/sqlite/sqlite_backend.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

constexpr int kTries = 5;

// A file that behaves as a server does: a transaction may be broken off, and sessions may be cut.
class MoodyBackend final : public SqliteBackend {
 public:
  explicit MoodyBackend(const std::string& path) : SqliteBackend(path), words_(SqliteBackend::dialect()) {
    words_.is_server = true;
    words_.begin_write = "BEGIN IMMEDIATE";
  }
  const Dialect& dialect() const override { return words_; }
  std::unique_ptr<soci::session> connect(const SessionPatience& patience) override {
    ++connects;
    if (away) throw soci::soci_error("away");
    return SqliteBackend::connect(patience);
  }
  SqlFailure explain(const soci::soci_error& error) const override {
    const std::string message = error.get_error_message();
    const Error unavailable{ErrorCode::kStoreUnavailable, message};
    if (message == "deadlock") return {.error = unavailable, .passes = true};
    if (message == "cut") return {.error = unavailable, .reconnect = true, .passes = true};
    if (message == "away") return {.error = unavailable, .reconnect = true};
    return SqliteBackend::explain(error);
  }

  int connects = 0;
  bool away = false;

 private:
  Dialect words_;
};

class SqlSessionsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto made = sessions_.read([](soci::session& session) -> Result<void> {
      run(session, "CREATE TABLE akr_commits (token text PRIMARY KEY, at_ms integer)");
      run(session, "CREATE TABLE t (x integer)");
      return {};
    });
    ASSERT_TRUE(made);
  }
  // Writes a row, but fails the first `times` with `message`.
  Result<void> write(const std::string& message, int times) {
    tries_ = 0;
    return sessions_.write(
        [&](soci::session& session) -> Result<void> {
          run(session, "INSERT INTO t (x) VALUES (1)");
          if (++tries_ <= times) throw soci::soci_error(message);
          return {};
        },
        {.once = true});
  }
  int count(const std::string& table) {
    return sessions_
        .read([&](soci::session& session) -> Result<int> {
          int rows = 0;
          run(session, "SELECT count(*) FROM " + table, soci::into(rows));
          return rows;
        })
        .value();
  }

  TempDir directory_;
  MoodyBackend backend_{directory_.file("test.db")};
  SqlSessions sessions_{backend_, {.most = 2, .deadline = std::chrono::seconds(10), .tries = kTries}};
  int tries_ = 0;
};

TEST_F(SqlSessionsTest, BeginsADeadlockedTransactionAnewInTheSameSession) {
  ASSERT_TRUE(write("deadlock", kTries - 1));
  EXPECT_EQ(tries_, kTries);
  EXPECT_EQ(count("t"), 1);
  EXPECT_EQ(count("akr_commits"), 1);
  EXPECT_EQ(backend_.connects, 1);
}

TEST_F(SqlSessionsTest, BeginsATransactionThatWasCutAnewInAnotherSession) {
  ASSERT_TRUE(write("cut", 2));
  EXPECT_EQ(tries_, 3);
  EXPECT_EQ(count("t"), 1);
  EXPECT_EQ(backend_.connects, 3);
}

TEST_F(SqlSessionsTest, GivesUpAfterSomeTriesAndLeavesNothingBehind) {
  const auto written = write("deadlock", kTries);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "deadlock");
  EXPECT_EQ(tries_, kTries);
  EXPECT_EQ(count("t"), 0);
  EXPECT_EQ(count("akr_commits"), 0);
  EXPECT_TRUE(sessions_.write_failed());
  EXPECT_TRUE(write("", 0));
  EXPECT_FALSE(sessions_.write_failed());
}

TEST_F(SqlSessionsTest, DoesNotRepeatWhatWillNotPass) {
  EXPECT_FALSE(write("away", 1));
  EXPECT_EQ(tries_, 1);
  EXPECT_EQ(count("t"), 0);
}

TEST_F(SqlSessionsTest, ARefusalOfTheWorkIsRolledBackAndNotRepeated) {
  int tries = 0;
  const auto refused = sessions_.write([&](soci::session& session) -> Result<void> {
    ++tries;
    run(session, "INSERT INTO t (x) VALUES (1)");
    return Error{ErrorCode::kInvalid, "no"};
  });
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(tries, 1);
  EXPECT_EQ(count("t"), 0);
}

// A session that failed took its place with it: two of them, and everybody waited for ever.
TEST_F(SqlSessionsTest, AFailureOfAnyKindGivesItsPlaceBack) {
  struct Odd {};
  for (int i = 0; i < 5; ++i) {
    backend_.away = true;
    EXPECT_FALSE(write("cut", 1));
    EXPECT_FALSE(write("", 0));
    backend_.away = false;
    EXPECT_THROW(sessions_.write([](soci::session&) -> Result<void> { throw Odd(); }), Odd);
    ASSERT_TRUE(write("", 0)) << i;
  }
  EXPECT_EQ(count("t"), 5);
}

TEST_F(SqlSessionsTest, WhoeverWaitsForAPlaceEndsWithItsDeadline) {
  SqlSessions one(backend_, {.most = 1, .deadline = std::chrono::milliseconds(30)});
  const auto outer = one.read([&](soci::session&) -> Result<void> {
    const auto inner = one.read([](soci::session&) -> Result<void> { return {}; });
    EXPECT_EQ(inner.error().code, ErrorCode::kStoreUnavailable);
    return {};
  });
  EXPECT_TRUE(outer);
}

}  // namespace
}  // namespace akr
