#include <filesystem>

#include "store/sql/schema.hpp"
#include "store/sqlite/dying_backend.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

// A database as a program of an earlier version of this schema left it: one service with three keys.
class EarlierVersion : public testing::TestWithParam<int>, protected SqliteFixture {
 protected:
  void SetUp() override {
    {
      const auto database = open();
      id_ = database->config().add_service(example_service("a")).value().id;
      database->config().add_keys(id_, example_keys(3)).value();
    }
    for (const char* column : {"upstreams", "fallbacks", "affinity_rules", "validation_path", "retry_on_empty"}) {
      drop("proxy_configs", column);
    }
    sql("DROP TABLE key_pins");
    if (GetParam() < 2) drop_version_two();
    sql("UPDATE akr_meta SET value = '" + std::to_string(GetParam()) + "' WHERE name = 'schema_version'");
  }
  void drop_version_two() {
    for (const char* column : {"weight", "priority", "quota_group", "rpm", "tpm", "rpd", "max_concurrency",
                               "monthly_quota", "monthly_reset_day"}) {
      drop("api_keys", column);
    }
    for (const char* column : {"failure_rules", "invalid_after", "outage_guard", "wait_for_key_ms"}) {
      drop("proxy_configs", column);
    }
    sql("DROP TABLE key_states");
  }
  void drop(const std::string& table, const std::string& column) {
    sql("ALTER TABLE " + table + " DROP COLUMN " + column);
  }
  std::string copy() const { return path() + ".bak-" + std::to_string(GetParam()); }

  ServiceId id_;
};

TEST_P(EarlierVersion, GetsWhatThisOneKnowsAndLosesNothing) {
  const auto database = open();
  EXPECT_TRUE(std::filesystem::exists(copy()));
  Service service = database->config().find_service(id_).value();
  EXPECT_EQ(service.target_url, example_service("a").target_url);
  EXPECT_EQ(service.invalid_after, 2);
  EXPECT_TRUE(service.outage_guard);
  EXPECT_TRUE(service.failure_rules.empty());
  EXPECT_TRUE(service.upstreams.empty());
  EXPECT_TRUE(service.fallbacks.empty());
  EXPECT_TRUE(service.affinity_rules.empty());
  EXPECT_EQ(service.validation_path, "");
  EXPECT_FALSE(service.retry_on_empty);
  const auto keys = database->config().list_keys(id_).value();
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_TRUE(keys[0].readable);
  EXPECT_EQ(keys[0].weight, 1U);
  EXPECT_EQ(keys[0].limits, KeyLimits{});
  EXPECT_TRUE(database->key_states().load(id_).value().empty());
  EXPECT_EQ(sql("SELECT value FROM akr_meta WHERE name = 'schema_version'"), std::to_string(kSchemaVersion));
  EXPECT_EQ(sql("SELECT value FROM akr_meta WHERE name = 'oldest_reader'"), "1");
  service.upstreams = {{.url = service.target_url}, {.url = "https://b.example"}};
  EXPECT_TRUE(database->config().update_service(service));
}

TEST_P(EarlierVersion, SurvivesBeingKilledInEveryStatementOfTheMigration) {
  const std::string original = content(path());
  int kills = 0;
  for (int statement = 0;; ++statement) {
    for (const std::string& file : {path(), path() + "-wal", path() + "-shm", copy(), copy() + ".new"}) {
      std::filesystem::remove(file);
    }
    std::ofstream(path(), std::ios::binary) << original;
    if (!killed_while_opening(path(), statement)) break;
    ++kills;
    const auto database = open();  // resumes
    EXPECT_EQ(database->config().find_service(id_).value().slug, "a") << statement;
    EXPECT_EQ(database->config().list_keys(id_).value().size(), 3U) << statement;
    EXPECT_TRUE(database->key_states().load(id_)) << statement;
    EXPECT_EQ(sql("SELECT value FROM akr_meta WHERE name = 'schema_version'"), std::to_string(kSchemaVersion))
        << statement;
    EXPECT_EQ(sql("SELECT count(*) FROM key_pins"), "0") << statement;
    EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
    EXPECT_FALSE(std::filesystem::exists(copy() + "-2")) << statement;
  }
  EXPECT_GT(kills, 20);
}

INSTANTIATE_TEST_SUITE_P(Schema, EarlierVersion, testing::Values(1, 2),
                         [](const auto& info) { return "Version" + std::to_string(info.param); });

class OlderProgram : public testing::Test, protected SqliteFixture {
 protected:
  void SetUp() override {
    Service service = example_service("a");
    service.upstreams = {{.url = service.target_url, .weight = 3}, {.url = "https://b.example"}};
    service.fallbacks = {ServiceId{9}};
    service.validation_path = "/account";
    id_ = open()->config().add_service(service).value().id;
  }
  ServiceId id_;
};

// Its statements name its own columns only; what it does not know stays, and follows what it changed.
TEST_F(OlderProgram, ChangesTheUrlItKnows) {
  sql("UPDATE proxy_configs SET target_url = 'https://new.example', invalid_after = 3, revision = revision + 1");
  const Service service = open()->config().find_service(id_).value();
  EXPECT_EQ(service.target_url, "https://new.example");
  ASSERT_EQ(service.upstreams.size(), 2U);
  EXPECT_EQ(service.upstreams[0], (Upstream{.url = "https://new.example", .weight = 3}));
  EXPECT_EQ(service.upstreams[1].url, "https://b.example");
  EXPECT_EQ(service.fallbacks, std::vector<ServiceId>{ServiceId{9}});
}

// An LLM service may have no validation_path: one that an older program had turned into such was left out.
TEST_F(OlderProgram, ChangesTheTypeOfAServiceWithAValidationPath) {
  ASSERT_EQ(open()->config().find_service(id_).value().validation_path, "/account");
  sql("UPDATE proxy_configs SET config_type = 'LLM', target_base_url = target_url,"
      " api_format = 'openai_compatible', revision = revision + 1");
  const Service service = open()->config().find_service(id_).value();
  EXPECT_EQ(service.type, ServiceType::kLlm);
  EXPECT_EQ(service.validation_path, "");
}

TEST_F(OlderProgram, AddsAServiceThatHasNoneOfIt) {
  sql("INSERT INTO proxy_configs (name, slug, config_type, is_active, method, target_url, selection_policy,"
      " auto_disable, accept_body_key, stream_uploads, allow_set_cookie, invalid_after, outage_guard, wait_for_key_ms,"
      " revision) VALUES ('o', 'o', 'GENERIC', 1, 'ANY', 'https://o.example', 'random', 1, 0, 0, 0, 2, 1, 0, 1)");
  const auto services = open()->config().list_services().value();
  ASSERT_EQ(services.size(), 2U);
  EXPECT_EQ(services[1].slug, "o");
  EXPECT_TRUE(services[1].upstreams.empty());
  EXPECT_FALSE(services[1].retry_on_empty);
}

// Somebody edited the table by hand: that list is lost, its service and all others work on.
TEST_F(OlderProgram, ADamagedListCostsThatListAndNoService) {
  const Service other = open()->config().add_service(example_llm_service("other")).value();
  for (const char* damaged : {"{", "[7]", "[{}]", "{\"url\":1}", "null", "[\"x\"]", "\xff"}) {
    for (const char* column : {"upstreams", "fallbacks", "affinity_rules", "failure_rules"}) {
      const std::string sets = std::string(column) + " = '" + damaged + "'";
      sql("UPDATE proxy_configs SET " + sets + " WHERE slug = 'a'");
    }
    const auto services = open()->config().list_services().value();
    ASSERT_EQ(services.size(), 2U);
    EXPECT_EQ(services[0].target_url, example_service("a").target_url);
    EXPECT_TRUE(services[0].upstreams.empty()) << damaged;
    EXPECT_TRUE(services[0].affinity_rules.empty()) << damaged;
    EXPECT_TRUE(services[0].failure_rules.empty()) << damaged;
    EXPECT_EQ(services[1].upstreams, other.upstreams);
    EXPECT_EQ(services[1].fallbacks, other.fallbacks);
    EXPECT_EQ(services[1].affinity_rules, other.affinity_rules);
  }
}

}  // namespace
}  // namespace akr
