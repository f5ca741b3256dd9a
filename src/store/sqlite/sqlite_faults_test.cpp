#include <filesystem>
#include <thread>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sql/sql_database.hpp"
#include "store/sqlite/sqlite_backend.hpp"
#include "store/sqlite/sqlite_fixture.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

// A database whose sessions a test can make fail as a full or read-only disk does.
class FragileBackend final : public SqliteBackend {
 public:
  using SqliteBackend::SqliteBackend;
  std::unique_ptr<soci::session> connect(const SessionPatience& patience) override {
    auto session = SqliteBackend::connect(patience);
    sessions.push_back(session.get());
    return session;
  }
  void pragma(const std::string& text) {
    for (soci::session* session : sessions) *session << text;
  }
  std::vector<soci::session*> sessions;
};

class SqliteFaults : public testing::Test, protected SqliteFixture {
 protected:
  void SetUp() override {
    auto backend = std::make_unique<FragileBackend>(path());
    backend_ = backend.get();
    database_ = open_sql_database(std::move(backend), {kTestKey}).value();
    backend_->sessions.clear();  // that of the start is gone
    id_ = store().add_service(example_service("a")).value().id;
    store().add_keys(id_, example_keys(10)).value();
  }
  ConfigStore& store() { return database_->config(); }

  FragileBackend* backend_ = nullptr;
  std::unique_ptr<Database> database_;
  ServiceId id_;
};

TEST_F(SqliteFaults, AFullDiskRefusesWritesKeepsReadsAndRecovers) {
  backend_->pragma("PRAGMA max_page_count = 1");  // SQLite raises it to the present size: nothing more fits
  const auto refused = store().add_keys(id_, example_keys(2000, "more-"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStoreUnavailable);
  EXPECT_EQ(store().list_keys(id_).value().size(), 10U);
  EXPECT_EQ(database_->look(), DatabaseState::kNotWritable);
  backend_->pragma("PRAGMA max_page_count = 1000000");
  EXPECT_EQ(database_->look(), DatabaseState::kOk);
  EXPECT_TRUE(store().add_keys(id_, example_keys(2000, "more-")));
  EXPECT_EQ(store().list_keys(id_).value().size(), 2010U);
}

TEST_F(SqliteFaults, AReadOnlyDatabaseRefusesWritesKeepsReadsAndRecovers) {
  backend_->pragma("PRAGMA query_only = ON");
  const auto refused = store().add_service(example_service("b"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStoreUnavailable);
  EXPECT_EQ(store().list_services().value().size(), 1U);
  EXPECT_EQ(database_->look(), DatabaseState::kNotWritable);
  backend_->pragma("PRAGMA query_only = OFF");
  EXPECT_EQ(database_->look(), DatabaseState::kOk);
  EXPECT_TRUE(store().add_service(example_service("b")));
}

// Every writer tries again, and each attempt on a full disk was an error line: five per second.
TEST_F(SqliteFaults, AFailureThatGoesOnIsToldOnce) {
  testing::internal::CaptureStderr();
  for (int episode = 0; episode < 2; ++episode) {
    backend_->pragma("PRAGMA query_only = ON");
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(store().add_keys(id_, example_keys(1, "more-")));
    backend_->pragma("PRAGMA query_only = OFF");
    EXPECT_TRUE(store().add_keys(id_, example_keys(1, "good-" + std::to_string(episode))));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  int told = 0;
  for (auto at = log.find("store_failed"); at != std::string::npos; at = log.find("store_failed", at + 1)) ++told;
  EXPECT_EQ(told, 2) << log;
}

TEST_F(SqliteFaults, AnotherProcessThatHoldsTheLockMakesWritesUnavailableNotWrong) {
  backend_->pragma("PRAGMA busy_timeout = 20");
  sqlite3* other = nullptr;
  sqlite3_open(path().c_str(), &other);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(store().delete_keys(id_).error().code, ErrorCode::kStoreUnavailable);
  EXPECT_EQ(store().list_keys(id_).value().size(), 10U);  // WAL: readers do not wait
  sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_EQ(store().delete_keys(id_).value(), 10U);
}

TEST_F(SqliteFaults, AReaderOutsideThatKeepsItsTransactionOpenStopsNobody) {
  sqlite3* other = nullptr;
  sqlite3_open(path().c_str(), &other);
  sqlite3_exec(other, "BEGIN; SELECT count(*) FROM api_keys", nullptr, nullptr, nullptr);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(store().add_keys(id_, example_keys(1, "r" + std::to_string(i))));
  sqlite3_close(other);
}

// A write that the disk refuses half-way (EFBIG here) drops the session; the next call starts a new one.
TEST_F(SqliteFaults, AFailingDiskLosesNothingAndIsTriedAgain) {
  database_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    auto database = open();
    const rlimit small{200 * 1024, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto refused = database->config().add_keys(id_, example_keys(5000, "big-"));
    const bool unavailable = !refused && refused.error().code == ErrorCode::kStoreUnavailable &&
                             refused.error().message.find("RLIMIT_FSIZE") != std::string::npos;
    const rlimit wide{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &wide);
    const bool recovered = database->config().add_keys(id_, example_keys(1, "after-")).has_value();
    ::_exit(unavailable && recovered ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(open()->config().list_keys(id_).value().size(), 11U);
  EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
}

// No memory in the middle of a transaction: it stayed open, and every later write failed.
TEST_F(SqliteFaults, AnExceptionInATransactionUndoesItAndTheNextOneWorks) {
  const auto fails = [](UpstreamKey&) -> Result<void> { throw std::bad_alloc(); };
  EXPECT_THROW(static_cast<void>(store().edit_key(KeyId{1}, fails)), std::bad_alloc);
  EXPECT_TRUE(store().add_keys(id_, example_keys(1, "after-")));
}

// Writes rows one by one and reports each acknowledged one through the pipe, until it is killed.
[[noreturn]] void write_until_killed(const StoreOptions& options, ServiceId id, int round, int pipe) {
  auto database = open_database(options).value();
  for (int i = 0;; ++i) {
    const std::string secret = "r" + std::to_string(round) + "-" + std::to_string(i);
    const std::vector<NewKey> keys = {{Secret(secret), true}, {Secret(secret + "-b"), true}};
    if (!database->config().add_keys(id, keys)) ::_exit(1);
    if (::write(pipe, &i, sizeof i) != sizeof i) ::_exit(1);
  }
}

TEST_F(SqliteFaults, KillNineLosesNoAcknowledgedWriteAndLeavesNoHalfOne) {
  database_.reset();
  std::size_t expected = 10;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(options(), id_, round, ends[1]);
    ::close(ends[1]);
    int last = -1;
    // The kill comes after a number of writes, not after a time; where in the next write it hits is up to the kernel.
    while (last < 3 + round % 7 && ::read(ends[0], &last, sizeof last) == sizeof last) {
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &last, sizeof last) == sizeof last) {
    }
    ::close(ends[0]);
    const auto keys = open()->config().list_keys(id_).value();
    const std::size_t acknowledged = expected + 2 * static_cast<std::size_t>(last + 1);
    // The write that was under way is there whole or not at all.
    EXPECT_TRUE(keys.size() == acknowledged || keys.size() == acknowledged + 2) << keys.size() << " " << acknowledged;
    for (const UpstreamKey& key : keys) EXPECT_TRUE(key.readable);
    expected = keys.size();
    ASSERT_EQ(sql("PRAGMA integrity_check"), "ok");
  }
}

}  // namespace
}  // namespace akr
