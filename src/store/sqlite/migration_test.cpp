#include <filesystem>

#include "store/sqlite/dying_backend.hpp"
#include "store/sqlite/original_fixture.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

constexpr const char* kOriginalRows = R"sql(
INSERT INTO proxy_configs VALUES
 (1,'Weather','weather','GENERIC','header','X-Key',1,'2026-11-22 20:32:33.711594422+00:00',
  '2026-11-22 22:32:33.5+02:00','get','https://w.example/v1',NULL,NULL,NULL),
 (2,'OpenAI','openai','llm',NULL,NULL,1,NULL,NULL,NULL,NULL,'https://api.openai.com/v1','openai_compatible','none'),
 (3,'Custom','custom','LLM','header','X-Auth',1,NULL,NULL,NULL,NULL,'https://c.example',NULL,NULL),
 (4,'NoMethod','nomethod','GENERIC','query','key',1,NULL,NULL,NULL,'https://n.example',NULL,NULL,NULL),
 (5,'Odd','odd','websocket',NULL,NULL,1,NULL,NULL,'GET','https://o.example',NULL,'x','y'),
 (6,'Gemini','gemini','LLM','query','key',0,NULL,NULL,NULL,NULL,'https://g.example','gemini_native','openai');
INSERT INTO api_keys VALUES
 (1,'sk-plain-one',1,1),(2,'sk-plain-two',0,1),(3,'sk-plain-one',1,1),(4,'sk-plain-two',1,1),
 (5,' sk-spaced ',1,2),(6,'',1,2),(7,'sk-orphan',1,77),(8,'sk-nobody',1,NULL),(9,'sk-plain-one',1,2);
)sql";

class OriginalDatabase : public testing::Test, protected SqliteFixture {
 protected:
  void SetUp() override { sql(std::string(kOriginalSchema) + kOriginalRows); }
};

TEST_F(OriginalDatabase, ServicesComeOverWithTheirMeaning) {
  const auto services = open()->config().list_services().value();
  ASSERT_EQ(services.size(), 6U);
  const Service& weather = services[0];
  EXPECT_EQ(weather.slug, "weather");
  EXPECT_TRUE(weather.active);
  EXPECT_EQ(weather.methods, std::vector<std::string>{"GET"});
  EXPECT_EQ(weather.target_url, "https://w.example/v1");
  EXPECT_EQ(weather.key_placement->name, "X-Key");
  EXPECT_EQ(weather.key_placement->prefix, "");
  EXPECT_EQ(weather.api_format, "openai_compatible");
  EXPECT_EQ(weather.output_format, "none");
  EXPECT_EQ(weather.timeouts.total, std::chrono::seconds(30));
  EXPECT_EQ(weather.created_at.time_since_epoch(), std::chrono::milliseconds(1795379553711));
  EXPECT_EQ(weather.updated_at.time_since_epoch(), std::chrono::milliseconds(1795379553500));
  EXPECT_TRUE(weather.accept_body_key);

  EXPECT_EQ(services[1].type, ServiceType::kLlm);
  EXPECT_EQ(services[1].target_url, "https://api.openai.com/v1");
  EXPECT_FALSE(services[1].key_placement);
  EXPECT_EQ(services[1].timeouts.total, std::chrono::seconds(0));
  EXPECT_TRUE(services[1].retry.retry_non_idempotent);
  EXPECT_EQ(services[2].key_placement->prefix, "Bearer ");
  EXPECT_EQ(services[2].api_format, "openai_compatible");
  EXPECT_FALSE(services[3].active);  // crashed there; must not become "any method" here
  EXPECT_FALSE(services[4].active);  // a type that never matched
  EXPECT_EQ(services[5].key_placement->location, KeyLocation::kQuery);
  EXPECT_FALSE(services[5].active);
}

TEST_F(OriginalDatabase, KeysAreSealedMergedAndFreedOfOrphans) {
  {
    const auto database = open();
    const auto first = database->config().list_keys(ServiceId{1}).value();
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].id, KeyId{1});
    EXPECT_EQ(first[0].secret.expose(), "sk-plain-one");
    EXPECT_EQ(first[1].secret.expose(), "sk-plain-two");
    EXPECT_TRUE(first[1].enabled);  // one of the two copies was in use
    const auto second = database->config().list_keys(ServiceId{2}).value();
    ASSERT_EQ(second.size(), 2U);
    EXPECT_EQ(second[0].secret.expose(), "sk-spaced");
    EXPECT_EQ(sql("SELECT count(*) FROM api_keys"), "4");
    EXPECT_GT(database->config().add_keys(ServiceId{1}, example_keys(1)).value()[0].id, KeyId{9});
  }
  for (const char* file : {"test.db", "test.db-wal"}) {
    const std::string bytes = content(directory().file(file));
    for (const char* secret : {"sk-plain-", "sk-spaced", "sk-orphan", "sk-nobody"}) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << file << " " << secret;
    }
  }
}

TEST_F(OriginalDatabase, ACopyIsMadeFirstAndOnlyOnce) {
  open();
  open();
  const std::string copy = path() + ".bak-0";
  ASSERT_TRUE(std::filesystem::exists(copy));
  EXPECT_FALSE(std::filesystem::exists(copy + "-2"));
  EXPECT_EQ(content(copy).find("sk-plain-one"), std::string::npos);
  EXPECT_EQ(std::filesystem::status(copy).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(OriginalDatabase, PlainKeysAddedByHandLaterAreSealedAtTheNextStart) {
  open();
  sql("INSERT INTO api_keys (key_value, is_active, proxy_config_id) VALUES ('sk-by-hand', 1, 1)");
  EXPECT_EQ(open()->config().list_keys(ServiceId{1}).value().back().secret.expose(), "sk-by-hand");
  EXPECT_EQ(sql("SELECT count(*) FROM api_keys WHERE key_version = 0"), "0");
}

TEST_F(OriginalDatabase, EarlyOriginalsWithoutLaterColumnsAndIndexesWork) {
  sql("DROP INDEX idx_proxy_configs_slug; DROP INDEX idx_proxy_configs_name;"
      "ALTER TABLE proxy_configs DROP COLUMN api_format; ALTER TABLE proxy_configs DROP COLUMN output_format;"
      "INSERT INTO proxy_configs (id, name, slug, config_type, method, target_url)"
      " VALUES (10, 'Weather', 'weather', 'generic', 'GET', 'https://w2.example')");
  const auto services = open()->config().list_services().value();
  ASSERT_EQ(services.size(), 7U);
  EXPECT_EQ(services[6].slug, "weather-10");
  EXPECT_EQ(services[6].name, "Weather 10");
  EXPECT_EQ(services[0].api_format, "openai_compatible");
}

// The new name of the second one was a third one's, and the start ended with "the value is taken".
TEST_F(OriginalDatabase, EqualNamesAreToldApartWhateverElseThereIs) {
  const std::string longest(100, 's');
  sql("DROP INDEX idx_proxy_configs_slug; DROP INDEX idx_proxy_configs_name;"
      "INSERT INTO proxy_configs (id, name, slug, config_type, method, target_url) VALUES"
      " (10, 'Weather', 'weather', 'generic', 'GET', 'https://w2.example'),"
      " (11, 'Weather 10', 'weather-10', 'generic', 'GET', 'https://w3.example'),"
      " (12, 'x', '" +
      longest +
      "', 'generic', 'GET', 'https://w4.example'),"
      " (13, 'y', '" +
      longest + "', 'generic', 'GET', 'https://w5.example')");
  const auto services = open()->config().list_services().value();
  ASSERT_EQ(services.size(), 10U);
  EXPECT_EQ(services[6].slug, "weather-10-10");
  EXPECT_EQ(services[6].name, "Weather 10 10");
  EXPECT_EQ(services[7].slug, "weather-10");
  EXPECT_EQ(services[8].slug, longest);
  EXPECT_EQ(services[9].slug, longest.substr(0, 97) + "-13");
}

TEST_F(OriginalDatabase, AnEmptyFileIsANewDatabase) {
  std::filesystem::remove(path());
  std::ofstream(path()).flush();
  EXPECT_TRUE(open()->config().list_services().value().empty());
  EXPECT_FALSE(std::filesystem::exists(path() + ".bak-0"));
}

TEST_F(OriginalDatabase, SurvivesBeingKilledInEveryStatementOfTheMigration) {
  const std::string original = content(path());
  int kills = 0;
  for (int statement = 0;; ++statement) {
    for (const auto& file : std::filesystem::directory_iterator(directory().path())) {
      std::filesystem::remove(file.path());
    }
    std::ofstream(path(), std::ios::binary) << original;
    if (!killed_while_opening(path(), statement)) break;
    ++kills;
    const auto database = open();  // resumes
    EXPECT_EQ(database->config().list_services().value().size(), 6U) << statement;
    EXPECT_EQ(database->config().list_keys(ServiceId{1}).value().size(), 2U) << statement;
    EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
    EXPECT_FALSE(std::filesystem::exists(path() + ".bak-0-2")) << statement;
  }
  EXPECT_GT(kills, 40);
}

}  // namespace
}  // namespace akr
