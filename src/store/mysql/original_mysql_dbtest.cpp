// The first version's MySQL database, as GORM made it, is taken over in place.
#include <gmock/gmock.h>

#include "store/server_fixture.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kServices =
    "CREATE TABLE proxy_configs (id int AUTO_INCREMENT PRIMARY KEY, name varchar(100) NOT NULL,"
    " slug varchar(100) NOT NULL, config_type varchar(50) NOT NULL, api_key_location varchar(50),"
    " api_key_name varchar(100), is_active boolean DEFAULT true, created_at datetime(3) NULL,"
    " updated_at datetime(3) NULL, method varchar(10), target_url varchar(255), target_base_url varchar(255),"
    " api_format varchar(50) DEFAULT 'openai_compatible', output_format varchar(50) DEFAULT 'none')"
    " CHARSET utf8mb4 COLLATE utf8mb4_general_ci";
constexpr const char* kKeys =
    "CREATE TABLE api_keys (id int AUTO_INCREMENT PRIMARY KEY, key_value varchar(255) NOT NULL,"
    " is_active boolean DEFAULT true, proxy_config_id int,"
    " CONSTRAINT fk_proxy_configs_api_keys FOREIGN KEY (proxy_config_id) REFERENCES proxy_configs(id)"
    " ON DELETE CASCADE) CHARSET utf8mb4 COLLATE utf8mb4_general_ci";
constexpr const char* kUniqueSlug = "CREATE UNIQUE INDEX idx_proxy_configs_slug ON proxy_configs(slug)";
constexpr const char* kUniqueName = "CREATE UNIQUE INDEX idx_proxy_configs_name ON proxy_configs(name)";

class MysqlOriginal : public testing::Test, protected MysqlFixture {
 protected:
  void SetUp() override {
    if (const std::string package = missing(); !package.empty()) GTEST_SKIP() << package << " is missing";
    for (const char* statement : {kServices, kKeys}) sql(statement);
    sql("INSERT INTO proxy_configs VALUES"
        " (1,'Weather','weather','GENERIC','header','X-Key',1,'2026-11-22 20:32:33.711',NULL,'get',"
        "  'https://w.example/v1',NULL,NULL,NULL),"
        " (2,'OpenAI','OpenAI','llm',NULL,NULL,1,NULL,NULL,NULL,NULL,'https://api.openai.com/v1',"
        "  'openai_compatible','none'),"
        " (3,'Odd','odd','websocket',NULL,NULL,1,NULL,NULL,'GET','https://o.example',NULL,'x','y')");
    sql("SET FOREIGN_KEY_CHECKS = 0; INSERT INTO api_keys VALUES (1,'sk-plain-one',1,1),(2,'sk-plain-two',0,1),"
        "(3,'sk-plain-one',1,1),(4,'sk-plain-two',1,1),(5,' sk-spaced ',1,2),(6,'',1,2),(7,'sk-orphan',1,77),"
        "(8,'sk-nobody',1,NULL),(9,'SK-PLAIN-ONE',1,1)");
  }

  // Every table with every row.
  std::string everything() {
    std::string all =
        sql("SELECT group_concat(table_name ORDER BY table_name) FROM information_schema.tables"
            " WHERE table_schema = database()");
    for (const std::string table :
         {"proxy_configs", "api_keys", "key_states", "key_pins", "akr_meta", "akr_migrations"}) {
      const std::string cells = sql(
          "SELECT group_concat('quote(', column_name, ')' ORDER BY ordinal_position) FROM information_schema.columns"
          " WHERE table_schema = database() AND table_name = '" +
          table + "'");
      std::string rows = "SET SESSION group_concat_max_len = 1000000; SELECT group_concat(concat_ws(',', ";
      rows.append(cells).append(") ORDER BY 1 SEPARATOR ';') FROM ").append(table);
      all.append("\n").append(table).append(": ").append(sql(rows));
    }
    return all;
  }
};

TEST_F(MysqlOriginal, ServicesAndKeysComeOverAndNothingIsPlain) {
  sql(kUniqueSlug);
  sql(kUniqueName);
  const auto database = open();
  const auto services = database->config().list_services().value();
  ASSERT_EQ(services.size(), 3U);
  EXPECT_EQ(services[0].methods, std::vector<std::string>{"GET"});
  EXPECT_EQ(services[0].target_url, "https://w.example/v1");
  EXPECT_EQ(services[0].created_at.time_since_epoch(), std::chrono::milliseconds(1795379553711));
  EXPECT_EQ(services[1].type, ServiceType::kLlm);  // written in lower case
  EXPECT_EQ(services[1].slug, "OpenAI");
  EXPECT_FALSE(services[2].active);
  const auto keys = database->config().list_keys(ServiceId{1}).value();
  ASSERT_EQ(keys.size(), 3U);  // duplicates merged, capitals told apart
  EXPECT_EQ(keys[0].secret.expose(), "sk-plain-one");
  EXPECT_EQ(keys[1].secret.expose(), "sk-plain-two");
  EXPECT_TRUE(keys[1].enabled);  // one of the two was
  EXPECT_EQ(keys[2].secret.expose(), "SK-PLAIN-ONE");
  EXPECT_EQ(database->config().list_keys(ServiceId{2}).value().size(), 1U);
  EXPECT_EQ(sql("SELECT count(*) FROM api_keys WHERE proxy_config_id IS NULL OR proxy_config_id = 77"), "0");
  EXPECT_EQ(sql("SELECT count(*) FROM api_keys WHERE lower(key_value) LIKE '%sk-%'"), "0");
  EXPECT_EQ(sql("SELECT count(*) FROM akr_copy_0_api_keys"), "9");
  EXPECT_EQ(sql("SELECT count(*) FROM akr_copy_0_api_keys WHERE key_version = 0 AND trim(key_value) <> ''"), "0");
}

TEST_F(MysqlOriginal, ColumnsBecomeLongEnough) {
  const auto database = open();
  const std::string token(8'000, 'j');  // a JWT-like key; 255 characters were the end there
  const std::vector<NewKey> keys = {{Secret(token), true}};
  ASSERT_TRUE(database->config().add_keys(ServiceId{1}, keys));
  EXPECT_EQ(database->config().list_keys(ServiceId{1}).value().back().secret.expose(), token);
  Service service = database->config().find_service(ServiceId{1}).value();
  service.target_url = "https://w.example/" + std::string(1'000, 'p');
  ASSERT_TRUE(database->config().update_service(service));
  EXPECT_EQ(database->config().find_service(ServiceId{1}).value().target_url, service.target_url);
}

TEST_F(MysqlOriginal, SlugsInCapitalsAreToldApartAndEqualOnesGetANumber) {
  sql("INSERT INTO proxy_configs (id, name, slug, config_type, method, target_url) VALUES"
      " (10,'weather','WEATHER','GENERIC','GET','https://b.example'),"
      " (11,'Weather','weather','GENERIC','GET','https://c.example')");
  const auto services = open()->config().list_services().value();
  ASSERT_EQ(services.size(), 5U);
  EXPECT_EQ(services[3].slug, "WEATHER");
  EXPECT_EQ(services[3].name, "weather");
  EXPECT_EQ(services[4].slug, "weather-11");
  EXPECT_EQ(services[4].name, "Weather 11");
}

TEST_F(MysqlOriginal, ADuplicateTakesNobodysNameEither) {
  sql("INSERT INTO proxy_configs (id, name, slug, config_type, method, target_url) VALUES"
      " (10,'Weather 11','weather-11','GENERIC','GET','https://b.example'),"
      " (11,'Weather','weather','GENERIC','GET','https://c.example'),"
      " (12,'Twelve','weather-11-11','GENERIC','GET','https://d.example')");
  const auto services = open()->config().list_services().value();
  ASSERT_EQ(services.size(), 6U);
  EXPECT_EQ(services[3].slug, "weather-11");
  EXPECT_EQ(services[3].name, "Weather 11");
  EXPECT_EQ(services[4].slug, "weather-11-11-11");
  EXPECT_EQ(services[4].name, "Weather 11 11");
  EXPECT_EQ(services[5].slug, "weather-11-11");
}

// Each statement of MySQL's that makes or alters a table commits by itself: whatever is left must do for the next try.
TEST_F(MysqlOriginal, AnUpgradeThatWasCutOffIsTakenUpAgain) {
  open();
  for (const char* cut : {"DELETE FROM akr_meta WHERE name = 'schema_version'",
                          "DELETE FROM akr_meta; DROP TABLE key_states; DROP TABLE key_pins",
                          "DROP TABLE akr_meta; DROP TABLE akr_migrations; ALTER TABLE api_keys DROP COLUMN weight"}) {
    SCOPED_TRACE(cut);
    sql("UPDATE api_keys SET key_value = 'sk-again', key_version = 0, key_hash = NULL WHERE id = 1");
    sql(cut);
    const auto keys = open()->config().list_keys(ServiceId{1}).value();
    ASSERT_EQ(keys.size(), 3U);
    EXPECT_EQ(keys[0].secret.expose(), "sk-again");
  }
}

TEST_F(MysqlOriginal, AWrongEncryptionKeyChangesNothing) {
  open();
  StoreOptions wrong = options();
  wrong.encryption_key = Secret(std::string(32, 'w'));
  const std::string before = everything();
  {
    const auto locked = open_database(wrong).value();
    EXPECT_TRUE(locked->locked());
    EXPECT_EQ(locked->config().list_keys(ServiceId{1}).error().code, ErrorCode::kLocked);
    EXPECT_EQ(locked->config().add_keys(ServiceId{1}, example_keys(1)).error().code, ErrorCode::kLocked);
  }
  EXPECT_EQ(everything(), before);
  // Nor where there is something to do.
  sql("UPDATE akr_meta SET value = '3' WHERE name = 'schema_version'; INSERT INTO api_keys (id, key_value, key_version,"
      " proxy_config_id) VALUES (50, 'sk-plain', 0, 1)");
  const std::string old = everything();
  EXPECT_EQ(open_database(wrong).error().code, ErrorCode::kLocked);
  EXPECT_EQ(everything(), old);
  EXPECT_EQ(open()->config().list_keys(ServiceId{1}).value().back().secret.expose(), "sk-plain");
}

}  // namespace
}  // namespace akr
