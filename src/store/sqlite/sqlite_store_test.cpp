#include <filesystem>

#include <gmock/gmock.h>

#include "store/config_store_contract.hpp"
#include "store/key_store_contracts.hpp"
#include "store/sqlite/sqlite_fixture.hpp"

#ifdef AKR_SANITIZED
// SOCI forgets a column's text when SQLite finds the page behind it damaged; the truncated files below make it do so.
extern "C" const char* __lsan_default_suppressions() { return "leak:libsoci_sqlite3"; }
#endif

namespace akr {
namespace {

struct SqliteHarness {
  std::unique_ptr<Database> open(const Clock& clock) {
    StoreOptions options = fixture.options();
    options.clock = &clock;
    return open_database(options).value();
  }
  SqliteFixture fixture;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, ConfigStoreContract, SqliteHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, KeyStateStoreContract, SqliteHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, KeyPinStoreContract, SqliteHarness);

class SqliteStore : public testing::Test, protected SqliteFixture {
 protected:
  ServiceId fill(Database& database, int keys) {
    const ServiceId id = database.config().add_service(example_service("a")).value().id;
    database.config().add_keys(id, example_keys(keys)).value();
    return id;
  }
};

TEST_F(SqliteStore, NoFileHoldsAPlainSecret) {
  auto database = open();
  const ServiceId id = fill(*database, 5);
  Service service = example_llm_service("llm");
  database->config().add_service(service).value();
  EXPECT_EQ(database->config().list_keys(id).value().size(), 5U);
  for (const auto& entry : std::filesystem::directory_iterator(directory().path())) {
    const std::string bytes = content(entry.path());
    EXPECT_EQ(bytes.find("sk-test-"), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find("user:secret"), std::string::npos) << entry.path();
    EXPECT_EQ(std::filesystem::status(entry.path()).permissions() & std::filesystem::perms::others_read,
              std::filesystem::perms::none);
  }
}

TEST_F(SqliteStore, ATamperedOrSwappedKeyIsUnreadableAndTheOthersWork) {
  auto database = open();
  const ServiceId id = fill(*database, 5);
  sql("UPDATE api_keys SET key_value = (SELECT key_value FROM api_keys WHERE id = 2) WHERE id = 1");
  sql("UPDATE api_keys SET key_value = 'AAAA' || substr(key_value, 5) WHERE id = 3");
  const auto keys = database->config().list_keys(id).value();
  ASSERT_EQ(keys.size(), 5U);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool touched = i == 0 || i == 2;
    EXPECT_EQ(keys[i].readable, !touched) << i;
    EXPECT_EQ(keys[i].secret.empty(), touched) << i;
  }
}

TEST_F(SqliteStore, AServiceWithATamperedEgressProxyIsOff) {
  auto database = open();
  Service service = example_llm_service("llm");
  service.active = true;
  const ServiceId id = database->config().add_service(service).value().id;
  sql("UPDATE proxy_configs SET egress_proxy = 'AAAA' || substr(egress_proxy, 5)");
  const Service read = database->config().find_service(id).value();
  EXPECT_FALSE(read.active);
  EXPECT_EQ(read.egress_proxy, "");
}

TEST_F(SqliteStore, AnotherEncryptionKeyLocksAndOverwritesNothing) {
  const ServiceId id = fill(*open(), 3);
  StoreOptions wrong = options();
  wrong.encryption_key = Secret("another-key-another-key-another-k");
  {
    const auto locked = open_database(wrong).value();
    ConfigStore& store = locked->config();
    EXPECT_TRUE(locked->locked());
    EXPECT_EQ(store.list_services().value().size(), 1U);
    Service service = store.find_service(id).value();
    EXPECT_EQ(store.list_keys(id).error().code, ErrorCode::kLocked);
    EXPECT_EQ(store.add_keys(id, example_keys(1)).error().code, ErrorCode::kLocked);
    EXPECT_EQ(store.add_service(example_service("b")).error().code, ErrorCode::kLocked);
    EXPECT_EQ(store.update_service(service).error().code, ErrorCode::kLocked);
    EXPECT_EQ(store.delete_service(id).error().code, ErrorCode::kLocked);
    const auto nothing = [](UpstreamKey&) -> Result<void> { return {}; };
    EXPECT_EQ(store.edit_key(KeyId{1}, nothing).error().code, ErrorCode::kLocked);
    EXPECT_EQ(store.find_key(KeyId{1}).error().code, ErrorCode::kLocked);
    EXPECT_EQ(locked->key_states().save(id, {}, {}).error().code, ErrorCode::kLocked);
    EXPECT_EQ(locked->key_pins().save({}).error().code, ErrorCode::kLocked);
    EXPECT_EQ(locked->key_pins().remove_before({}, 1).error().code, ErrorCode::kLocked);
    EXPECT_EQ(store.delete_key(KeyId{1}).error().code, ErrorCode::kLocked);
    EXPECT_EQ(store.delete_keys(id).error().code, ErrorCode::kLocked);
  }
  const auto database = open();
  EXPECT_FALSE(database->locked());
  EXPECT_EQ(database->config().list_keys(id).value().size(), 3U);
}

TEST_F(SqliteStore, AMissingKeyCheckLocks) {
  fill(*open(), 1);
  sql("DELETE FROM akr_meta WHERE name = 'key_check'");
  EXPECT_TRUE(open()->locked());
}

TEST_F(SqliteStore, ResetKeepsACopyAndUnlocks) {
  const ServiceId id = fill(*open(), 3);
  const std::string copy = open()->reset_tables().value();
  EXPECT_EQ(copy, path() + ".bak-reset");
  EXPECT_TRUE(open()->config().list_services().value().empty());
  StoreOptions from_copy = options();
  from_copy.at.file = copy;
  EXPECT_EQ(open_database(from_copy).value()->config().list_keys(id).value().size(), 3U);

  fill(*open(), 1);
  StoreOptions wrong = options();
  wrong.encryption_key = Secret("another-key-another-key-another-k");
  auto locked = open_database(wrong).value();
  EXPECT_EQ(locked->reset_tables().value(), path() + ".bak-reset-2");
  EXPECT_FALSE(locked->locked());
  EXPECT_TRUE(locked->config().add_service(example_service("new")));
}

TEST_F(SqliteStore, RepeatedResetsOfTheSameContentShareOneCopy) {
  fill(*open(), 3);
  open()->reset_tables().value();
  const std::string second = open()->reset_tables().value();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(open()->reset_tables().value().substr(0, second.size() - 1), path() + ".bak-reset-");
}

TEST_F(SqliteStore, BackupIsAConsistentCopyAndOverwritesNothing) {
  auto database = open();
  const ServiceId id = fill(*database, 10);
  const std::string copy = directory().file("copy.db");
  ASSERT_TRUE(database->backup_to(copy));
  EXPECT_EQ(database->backup_to(copy).error().code, ErrorCode::kStoreUnavailable);
  StoreOptions from_copy = options();
  from_copy.at.file = copy;
  EXPECT_EQ(open_database(from_copy).value()->config().list_keys(id).value().size(), 10U);
}

TEST_F(SqliteStore, IsDurableAndFastByItsOwnSettings) {
  auto database = open();
  EXPECT_EQ(sql("PRAGMA journal_mode"), "wal");
}

TEST_F(SqliteStore, PathsWithSpacesAndUnicodeWork) {
  StoreOptions elsewhere = options();
  elsewhere.at.file = directory().file("my dätä base.db");
  EXPECT_TRUE(open_database(elsewhere));
  EXPECT_TRUE(std::filesystem::exists(elsewhere.at.file));
}

TEST_F(SqliteStore, WhatIsNotOursIsRefusedAndLeftAlone) {
  const auto code_for = [&](const std::string& file) {
    StoreOptions where = options();
    where.at.file = file;
    return open_database(where).error().code;
  };
  EXPECT_EQ(code_for(directory().file("missing/dir.db")), ErrorCode::kStoreUnavailable);
  std::filesystem::create_directory(directory().file("folder"));
  EXPECT_EQ(code_for(directory().file("folder")), ErrorCode::kStoreUnavailable);
  const std::string text = directory().file("text.db");
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_EQ(code_for(text), ErrorCode::kStoreUnavailable);
  EXPECT_EQ(content(text), std::string(5000, 'x'));
}

TEST_F(SqliteStore, ATruncatedFileNeverCrashesNorServesAWrongKey) {
  {
    auto database = open();
    fill(*database, 200);
  }
  sql("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string whole = content(path());
  for (std::size_t size = 0; size < whole.size(); size += 4096) {
    std::filesystem::remove(path() + "-wal");
    std::filesystem::remove(path() + "-shm");
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << whole.substr(0, size + 100);
    const auto opened = open_database(options());
    if (!opened) continue;
    const auto keys = (*opened)->config().list_keys(ServiceId{1});
    if (!keys) continue;
    for (const UpstreamKey& key : *keys) {
      if (key.readable) EXPECT_TRUE(key.secret.expose().starts_with("sk-test-"));
    }
  }
}

TEST_F(SqliteStore, ADatabaseOfANewerVersionIsRefusedOnlyIfItSaysSo) {
  open();
  sql("UPDATE akr_meta SET value = '9' WHERE name = 'schema_version'");
  EXPECT_TRUE(open_database(options()));
  sql("UPDATE akr_meta SET value = '9' WHERE name = 'oldest_reader'");
  EXPECT_EQ(open_database(options()).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace akr
