// The database file was deleted or replaced under the running gateway: writes were acknowledged into files that had no
// name any more, and all of it was gone at the next start.  The kind: success that is told without looking where it
// went.
#include <filesystem>

#include "store/sqlite/sqlite_fixture.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

namespace fs = std::filesystem;

class StorageLost : public testing::Test, protected SqliteFixture {
 protected:
  void SetUp() override {
    database_ = open();
    id_ = store().add_service(example_service("a")).value().id;
    store().add_keys(id_, example_keys(10)).value();
    EXPECT_EQ(store().list_keys(id_).value().size(), 10U);  // as the gateway does at its start: both sessions are open
    EXPECT_EQ(database_->look(), DatabaseState::kOk);
  }
  ConfigStore& store() { return database_->config(); }
  std::string aside(const std::string& tail) const { return directory().file("aside" + tail); }

  void expect_writes_refused(const std::string& what) {
    EXPECT_EQ(database_->look(), DatabaseState::kLost) << what;
    const auto added = store().add_keys(id_, example_keys(1, "late-"));
    ASSERT_FALSE(added) << what;
    EXPECT_EQ(added.error().code, ErrorCode::kStoreUnavailable) << what;
    EXPECT_NE(added.error().message.find("deleted or replaced"), std::string::npos) << added.error().message;
    EXPECT_EQ(store().delete_keys(id_).error().code, ErrorCode::kStoreUnavailable) << what;
    EXPECT_FALSE(database_->key_states().save(id_, std::vector<KeyStateRecord>{{.key = KeyId{1}}}, {})) << what;
    EXPECT_EQ(store().list_keys(id_).value().size(), 10U) << what;  // what was read before can be read on
  }

  std::unique_ptr<Database> database_;
  ServiceId id_;
};

TEST_F(StorageLost, EachOfItsFilesCounts) {
  for (const std::string tail : {"", "-wal", "-shm"}) {
    fs::rename(path() + tail, aside(tail));
    expect_writes_refused("without test.db" + tail);
    fs::rename(aside(tail), path() + tail);
    EXPECT_EQ(database_->look(), DatabaseState::kOk) << tail;
    EXPECT_TRUE(store().add_keys(id_, example_keys(1, "back"))) << tail;
    EXPECT_TRUE(store().delete_key(store().list_keys(id_).value().back().id));
  }
  database_.reset();
  EXPECT_EQ(open()->config().list_keys(id_).value().size(), 10U);
  EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
}

TEST_F(StorageLost, AnotherFileInItsPlaceIsNotWrittenTo) {
  ASSERT_TRUE(database_->backup_to(aside("")));
  fs::rename(aside(""), path());
  const std::string before = content(path());
  expect_writes_refused("replaced");
  EXPECT_EQ(content(path()), before);
}

TEST_F(StorageLost, TheDirectoryMayGoTooAndNothingIsMadeAnew) {
  const fs::path moved = directory().path().string() + "-moved";
  fs::rename(directory().path(), moved);
  EXPECT_EQ(database_->look(), DatabaseState::kLost);
  EXPECT_FALSE(store().add_keys(id_, example_keys(1, "late-")));
  EXPECT_FALSE(fs::exists(directory().path()));
  fs::rename(moved, directory().path());
  EXPECT_EQ(database_->look(), DatabaseState::kOk);
}

// A session that was dropped after an I/O error connects again: an empty database in the place of the lost one is
// nothing to go on with.
TEST_F(StorageLost, ALaterSessionDoesNotBeginAnEmptyOne) {
  database_.reset();
  database_ = open();  // so that only the writer is connected
  EXPECT_EQ(database_->look(), DatabaseState::kOk);
  fs::remove(path());
  EXPECT_EQ(store().list_services().error().code, ErrorCode::kStoreUnavailable);
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_EQ(database_->look(), DatabaseState::kLost);
}

TEST_F(StorageLost, IsToldInOneLine) {
  fs::rename(path(), aside(""));
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) {
    database_->look();
    EXPECT_FALSE(store().add_keys(id_, example_keys(1, "late-")));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  const auto first = log.find("store_failed");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("store_failed", first + 1), std::string::npos) << log;
}

}  // namespace
}  // namespace akr
