// Copies before an upgrade and before RESET_DB_TABLES, and who may upgrade: where copies are tables of the same
// database.
#include <gmock/gmock.h>

#include "store/server_faults_fixture.hpp"

namespace akr {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

template <class Fixture>
class ServerUpgradesContract : public ServerFaults<Fixture> {
 protected:
  // The deadline that everybody has.
  StoreOptions options() const { return fixture_.options(); }
  std::unique_ptr<Database> open() const { return open_database(options()).value(); }
  std::string sql(const std::string& text) const { return fixture_.sql(text); }

  // The keys of the only service.
  static std::vector<std::string> keys_in(Database& database) {
    std::vector<std::string> keys;
    const auto services = database.config().list_services().value();
    if (services.size() != 1) return keys;
    for (const UpstreamKey& key : database.config().list_keys(services[0].id).value()) {
      keys.emplace_back(key.secret.expose());
    }
    return keys;
  }

  static void fill(Database& database, const std::string& slug) {
    const ServiceId service = database.config().add_service(example_service(slug)).value().id;
    ASSERT_TRUE(database.config().add_keys(service, example_keys(2, "sk-" + slug + "-")));
  }
  static std::vector<std::string> keys_of(const std::string& slug) {
    return {"sk-" + slug + "-100000", "sk-" + slug + "-100001"};
  }

  // How many copies there are whose names begin so.
  int copies(const std::string& prefix) const {
    return std::stoi(sql("SELECT count(*) FROM information_schema.tables WHERE table_name LIKE '" + prefix +
                         "%_api_keys' AND table_schema = " + schema()));
  }
  static std::string schema() { return ServerFaults<Fixture>::words("database()", "current_schema()"); }

  // As docs/*/databases.md have it for rows, without a gateway.
  void restore(const std::string& copy) const {
    sql("DELETE FROM key_pins; DELETE FROM key_states; DELETE FROM api_keys; DELETE FROM proxy_configs;"
        " DELETE FROM akr_meta");
    for (const char* table : {"akr_meta", "proxy_configs", "api_keys", "key_states", "key_pins"}) {
      sql(std::string("INSERT INTO ") + table + " SELECT * FROM " + copy + "_" + table);
    }
  }

  Fixture fixture_;
};
TYPED_TEST_SUITE_P(ServerUpgradesContract);

// The second one's rows have the ids of the first one's: they are other keys all the same.
TYPED_TEST_P(ServerUpgradesContract, EveryResetKeepsACopyThatCanBeRestored) {
  std::vector<std::string> names;
  {
    const auto database = this->open();
    for (const char* slug : {"first", "second"}) {
      this->fill(*database, slug);
      const auto name = database->reset_tables();
      ASSERT_TRUE(name) << name.error().message;
      EXPECT_THAT(*name, StartsWith("akr_copy_reset"));
      EXPECT_TRUE(database->config().list_services().value().empty());
      names.push_back(*name);
    }
    EXPECT_EQ(this->copies("akr_copy_reset"), 2);
    EXPECT_TRUE(database->reset_tables());  // nothing is lost with nothing
    EXPECT_EQ(this->copies("akr_copy_reset"), 2);
  }
  EXPECT_NE(names[0], names[1]);
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(this->sql("SELECT count(*) FROM " + names[i] + "_api_keys WHERE lower(key_value) LIKE '%sk-%'"), "0");
    this->restore(names[i]);
    EXPECT_EQ(this->keys_in(*this->open()), this->keys_of(i == 0 ? "first" : "second"));
  }
}

TYPED_TEST_P(ServerUpgradesContract, AnUpgradeKeepsACopyWhoseKeysAreSealed) {
  this->fill(*this->open(), "kept");
  this->sql(
      "UPDATE akr_meta SET value = '3' WHERE name = 'schema_version';"
      " DELETE FROM akr_meta WHERE name = 'scrubbed';"
      " UPDATE api_keys SET key_value = 'sk-plain', key_version = 0, key_hash = NULL WHERE id = 1");
  EXPECT_THAT(this->keys_in(*this->open()), testing::Contains("sk-plain"));
  EXPECT_EQ(this->copies("akr_copy_3"), 1);
  EXPECT_EQ(this->sql("SELECT count(*) FROM akr_copy_3_api_keys"), "2");
  EXPECT_EQ(this->sql("SELECT value FROM akr_copy_3_akr_meta WHERE name = 'schema_version'"), "3");
  for (const char* table : {"api_keys", "akr_copy_3_api_keys"}) {
    EXPECT_EQ(this->sql(std::string("SELECT count(*) FROM ") + table + " WHERE key_value LIKE '%sk-%'"), "0") << table;
  }
  this->open();  // nothing to upgrade any more
  EXPECT_EQ(this->copies("akr_copy_"), 1);
  this->restore("akr_copy_3");
  EXPECT_THAT(this->keys_in(*this->open()), testing::Contains("sk-plain"));
}

// What another upgrade left behind is another time's state, however alike it is.
TYPED_TEST_P(ServerUpgradesContract, ALaterUpgradeHasACopyOfItsOwn) {
  this->fill(*this->open(), "kept");
  this->sql("UPDATE akr_meta SET value = '3' WHERE name = 'schema_version'");
  this->open();
  this->sql("UPDATE akr_meta SET value = '3' WHERE name = 'schema_version'; UPDATE api_keys SET note = 'later'");
  this->open();
  EXPECT_EQ(this->copies("akr_copy_3"), 2);
}

TYPED_TEST_P(ServerUpgradesContract, AMigrationThatIsNotOursIsRefused) {
  this->fill(*this->open(), "kept");
  this->sql("UPDATE akr_migrations SET checksum = 'another' WHERE number = 2");
  for (const char* version : {"4", "3"}) {
    this->sql(std::string("UPDATE akr_meta SET value = '") + version + "' WHERE name = 'schema_version'");
    const auto refused = open_database(this->options());
    ASSERT_FALSE(refused) << version;
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(refused.error().message, HasSubstr("Migration 2 "));
    EXPECT_THAT(refused.error().message, HasSubstr("is not the one that this version knows"));
  }
  EXPECT_EQ(this->copies("akr_copy_"), 0);
  EXPECT_EQ(this->sql("SELECT value FROM akr_meta WHERE name = 'schema_version'"), "3");
}

// A session of nobody's takes the lock as mysql_words.cpp and postgresql_backend.cpp do.
TYPED_TEST_P(ServerUpgradesContract, AnotherNodeThatUpgradesIsWaitedForButNotForEver) {
  this->open();
  {
    test::DatabaseClient other(this->fixture_.server().admin(this->fixture_.database()));
    ASSERT_EQ(other.query(this->words("SELECT get_lock(concat('akr:', sha1(database())), 0)",
                                      "SELECT CASE WHEN pg_try_advisory_lock(8675309100) THEN 1 ELSE 0 END")),
              "1");
    const auto begin = std::chrono::steady_clock::now();
    const auto refused = open_database(this->options());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(7));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kStoreUnavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("Another node is upgrading"));
  }
  this->expect_success(open_database(this->options()));
}

REGISTER_TYPED_TEST_SUITE_P(ServerUpgradesContract, EveryResetKeepsACopyThatCanBeRestored,
                            AnUpgradeKeepsACopyWhoseKeysAreSealed, ALaterUpgradeHasACopyOfItsOwn,
                            AMigrationThatIsNotOursIsRefused, AnotherNodeThatUpgradesIsWaitedForButNotForEver);
INSTANTIATE_TYPED_TEST_SUITE_P(Mysql, ServerUpgradesContract, MysqlFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgresql, ServerUpgradesContract, PostgresqlFixture);

}  // namespace
}  // namespace akr
