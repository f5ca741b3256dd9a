// After a takeover of the first version's database with 300 keys, 75 of them could still be read in the file, in the
// copies and in what SQLite keeps beside it, all open to everybody.  The kind: secrets that were replaced, but whose
// text stays where no query looks.
#include <gmock/gmock.h>

#include "store/sqlite/dying_backend.hpp"
#include "store/sqlite/original_fixture.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

// A disk that has no room for what a rewrite needs.
class FullDiskBackend final : public SqliteBackend {
 public:
  using SqliteBackend::SqliteBackend;
  Result<void> scrub(soci::session&, const std::string&) override {
    return Error{ErrorCode::kStoreUnavailable, "The disk is full."};
  }
};

class Takeover : public testing::Test, protected OriginalFixture {
 protected:
  void SetUp() override { make_original(); }
  void keep_original_as(const std::string& name) {
    std::filesystem::copy_file(path(), directory().file(name));
    std::filesystem::copy_file(path() + "-wal", directory().file(name) + "-wal");
    // As its own program left it after a clean end.
    sqlite3* raw = nullptr;
    sqlite3_open(directory().file(name).c_str(), &raw);
    sqlite3_exec(raw, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
    sqlite3_close(raw);
  }
};

TEST_F(Takeover, LeavesNoPlainKeyInAnyByteOfAnyFile) {
  ASSERT_THAT(files_with_plain_text(), Not(IsEmpty()));
  const auto database = open();
  EXPECT_EQ(database->config().list_keys(ServiceId{1}).value().size(), 297U);
  EXPECT_EQ(database->config().list_keys(ServiceId{1}).value()[0].secret.expose(), plain_key(0));
  EXPECT_THAT(files_with_plain_text(), IsEmpty());
  EXPECT_THAT(files_open_to_others(), IsEmpty());
  ASSERT_TRUE(database->backup_to(directory().file("backup.db")));
  database->reset_tables().value();
  EXPECT_THAT(files_with_plain_text(), IsEmpty());
  EXPECT_THAT(files_open_to_others(), IsEmpty());
}

TEST_F(Takeover, AKeyThatIsDeletedOrSealedLaterLeavesNothingEither) {
  open();
  sql("INSERT INTO api_keys (key_value, is_active, proxy_config_id) VALUES ('sk-plain-by-hand', 1, 1)");
  const auto database = open();
  const KeyId id = database->config().list_keys(ServiceId{1}).value().back().id;
  EXPECT_EQ(database->config().find_key(id).value().secret.expose(), "sk-plain-by-hand");
  EXPECT_TRUE(database->config().delete_key(id));
  EXPECT_THAT(files_with_plain_text(), IsEmpty());
}

// The copy before the upgrade keeps the services as they were; its keys open with our encryption key only.
TEST_F(Takeover, TheCopyBeforeItCanStillBeTakenOver) {
  open();
  StoreOptions from_copy = options();
  from_copy.at.file = path() + ".bak-0";
  EXPECT_EQ(sql("SELECT count(*) FROM api_keys"), "297");
  const auto keys = open_database(from_copy).value()->config().list_keys(ServiceId{1}).value();
  ASSERT_EQ(keys.size(), 297U);
  EXPECT_EQ(keys[0].secret.expose(), plain_key(0));
  EXPECT_TRUE(keys[296].readable);
}

// The way back: what the first version reads, with our keys.
TEST_F(Takeover, APlainCopyIsForTheFirstVersion) {
  const auto database = open();
  database->config().add_keys(ServiceId{1}, example_keys(1)).value();
  const std::string copy = directory().file("for-the-first-version.db");
  EXPECT_EQ(database->plain_copy_to(copy).value(), 298U);
  EXPECT_FALSE(database->plain_copy_to(copy));  // overwrites nothing
  EXPECT_THAT(files_open_to_others(), IsEmpty());
  sqlite3* raw = nullptr;
  sqlite3_open(copy.c_str(), &raw);
  const std::string wanted = "SELECT 1 / (count(*) = 298) FROM api_keys WHERE key_value LIKE 'sk-%'";
  int found = 0;
  const auto take = [](void* out, int, char** values, char**) {
    return *static_cast<int*>(out) = values[0] != nullptr, 0;
  };
  EXPECT_EQ(sqlite3_exec(raw, wanted.c_str(), take, &found, nullptr), SQLITE_OK);
  EXPECT_EQ(found, 1);
  sqlite3_close(raw);
}

// An earlier start of ours sealed the rows and no more; its copies hold what the database held.
TEST_F(Takeover, WhatAnEarlierStartLeftIsRemovedOnce) {
  keep_original_as("test.db.bak-reset");
  std::ofstream(directory().file("test.db.bak-0.new.tmp")) << "half a copy with sk-plain-1";
  open();
  EXPECT_THAT(files_with_plain_text(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(directory().file("test.db.bak-0.new.tmp")));
  sql("DELETE FROM akr_meta WHERE name = 'scrubbed'");
  open();
  EXPECT_EQ(sql("SELECT value FROM akr_meta WHERE name = 'scrubbed'"), "1");
}

TEST_F(Takeover, CopiesThatAreNotOursAreToldInOneLineAndNotTouched) {
  keep_original_as("backup of 2024?.sqlite");
  keep_original_as("old.db");
  const std::string before = content(directory().file("old.db"));
  testing::internal::CaptureStderr();
  open();
  const std::string log = testing::internal::GetCapturedStderr();
  const auto at = log.find("plain_keys_beside_database");
  ASSERT_NE(at, std::string::npos) << log;
  const std::string line = log.substr(at, log.find('\n', at) - at);
  EXPECT_THAT(line, HasSubstr("backup of 2024?.sqlite"));
  EXPECT_THAT(line, HasSubstr("old.db"));
  EXPECT_THAT(line, Not(HasSubstr("sk-plain")));
  EXPECT_EQ(log.find("plain_keys_beside_database", at + 1), std::string::npos);
  EXPECT_EQ(content(directory().file("old.db")), before);
  EXPECT_FALSE(std::filesystem::exists(directory().file("old.db-shm")));
}

TEST_F(Takeover, OnAFullDiskItStartsSaysSoAndTheNextStartFinishes) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(open_sql_database(std::make_unique<FullDiskBackend>(path()), {kTestKey}));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("plain_keys_may_remain"));
  EXPECT_THAT(files_with_plain_text(), IsSupersetOf({"test.db", "test.db.bak-0"}));  // else this shows nothing
  open();
  EXPECT_THAT(files_with_plain_text(), IsEmpty());
}

TEST_F(Takeover, KilledInAnyStatementOfItTheNextStartLeavesNothing) {
  const std::string database = content(path()), log = content(path() + "-wal");
  int kills = 0;
  for (int statement = 40;; statement += 3) {
    for (const auto& entry : std::filesystem::directory_iterator(directory().path())) {
      std::filesystem::remove(entry.path());
    }
    std::ofstream(path(), std::ios::binary) << database;
    std::ofstream(path() + "-wal", std::ios::binary) << log;
    if (!killed_while_opening(path(), statement)) break;
    ++kills;
    EXPECT_EQ(open()->config().list_keys(ServiceId{1}).value().size(), 297U) << statement;
    EXPECT_THAT(files_with_plain_text(), IsEmpty()) << statement;
    EXPECT_THAT(files_open_to_others(), IsEmpty()) << statement;
  }
  EXPECT_GT(kills, 10);
}

}  // namespace
}  // namespace akr
