#include <algorithm>
#include <concepts>
#include <filesystem>
#include <string_view>

#include "core/service/describe_fields.hpp"
#include "core/service/fields.hpp"
#include "store/sql/schema.hpp"
#include "store/sqlite/dying_backend.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

// As every program of version 3 made them, before the list of fields defined columns.
constexpr std::string_view kServicesOfVersion3 =
    "CREATE TABLE proxy_configs (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL, slug text NOT "
    "NULL, config_type text NOT NULL, api_key_location text, api_key_name text, is_active numeric DEFAULT "
    "true, created_at datetime, updated_at datetime, method text, target_url text, target_base_url text, "
    "api_format text DEFAULT 'openai_compatible', output_format text DEFAULT 'none', revision integer NOT "
    "NULL DEFAULT 1, api_key_prefix text, egress_proxy text, connect_timeout_ms integer, "
    "first_byte_timeout_ms integer, stream_idle_timeout_ms integer, total_timeout_ms integer, "
    "max_attempts integer, retry_budget_ms integer, retry_non_idempotent integer, selection_policy text, "
    "auto_disable integer NOT NULL DEFAULT 1, accept_body_key integer NOT NULL DEFAULT 0, stream_uploads "
    "integer NOT NULL DEFAULT 0, allow_set_cookie integer NOT NULL DEFAULT 0, failure_rules text, "
    "invalid_after integer NOT NULL DEFAULT 2, outage_guard integer NOT NULL DEFAULT 1, wait_for_key_ms "
    "integer NOT NULL DEFAULT 0, upstreams text, fallbacks text, affinity_rules text, validation_path "
    "text, retry_on_empty integer NOT NULL DEFAULT 0)";
constexpr std::string_view kKeysOfVersion3 =
    "CREATE TABLE api_keys (id integer PRIMARY KEY AUTOINCREMENT, key_value text NOT NULL, is_active "
    "numeric DEFAULT true, proxy_config_id integer, key_hash varchar(64), key_version integer NOT NULL "
    "DEFAULT 0, note text, created_at datetime, weight integer NOT NULL DEFAULT 1, priority integer NOT "
    "NULL DEFAULT 0, quota_group text, rpm integer NOT NULL DEFAULT 0, tpm bigint NOT NULL DEFAULT 0, rpd "
    "integer NOT NULL DEFAULT 0, max_concurrency integer NOT NULL DEFAULT 0, monthly_quota bigint NOT "
    "NULL DEFAULT 0, monthly_reset_day integer NOT NULL DEFAULT 1, CONSTRAINT fk_proxy_configs_api_keys "
    "FOREIGN KEY (proxy_config_id) REFERENCES proxy_configs(id) ON DELETE CASCADE)";

class FieldColumns : public testing::Test, protected SqliteFixture {
 protected:
  std::string definition(const std::string& table) const {
    return sql("SELECT sql FROM sqlite_master WHERE name = '" + table + "'");
  }
  // A database of a program that did not know these fields yet.
  void make_older() {
    const auto database = open();
    id_ = database->config().add_service(example_llm_service("a")).value().id;
    database->config().add_keys(id_, example_keys(3)).value();
  }
  void forget_columns() {
    sql("ALTER TABLE proxy_configs DROP COLUMN retry_on_empty; ALTER TABLE proxy_configs DROP COLUMN auto_disable;"
        "ALTER TABLE proxy_configs DROP COLUMN max_attempts; ALTER TABLE api_keys DROP COLUMN monthly_reset_day;"
        "ALTER TABLE api_keys DROP COLUMN note");
  }
  std::string copy() const { return path() + ".bak-" + std::to_string(kSchemaVersion); }

  ServiceId id_;
};

// The last column of a table is followed by what is newer, and that by what holds for the whole table.
TEST_F(FieldColumns, OfANewDatabaseAreThoseOfVersion3AndWhatIsNewer) {
  open();
  for (const auto& [table, before] : {std::pair{"proxy_configs", kServicesOfVersion3}, {"api_keys", kKeysOfVersion3}}) {
    const std::string now = definition(table);
    const auto columns = before.substr(0, std::min(before.rfind(')'), before.find(", CONSTRAINT")));
    EXPECT_EQ(now.substr(0, columns.size()), columns);
  }
}

TEST_F(FieldColumns, OfANewerFieldAreAddedOnceAfterACopy) {
  make_older();
  forget_columns();
  for (int starts = 0; starts < 3; ++starts) {
    const auto database = open();
    const Service service = database->config().find_service(id_).value();
    EXPECT_EQ(service.slug, "a");
    EXPECT_FALSE(service.retry_on_empty);
    EXPECT_TRUE(service.auto_disable);
    EXPECT_EQ(service.retry.max_attempts, 3);
    const auto keys = database->config().list_keys(id_).value();
    ASSERT_EQ(keys.size(), 3U);
    EXPECT_TRUE(keys[0].readable);
    EXPECT_EQ(keys[0].limits, KeyLimits{});
    EXPECT_EQ(keys[0].note, "");
    EXPECT_TRUE(std::filesystem::exists(copy()));
    EXPECT_FALSE(std::filesystem::exists(copy() + "-2"));
  }
  EXPECT_EQ(sql("SELECT value FROM akr_meta WHERE name = 'schema_version'"), std::to_string(kSchemaVersion));
}

TEST_F(FieldColumns, AreNotAddedWithAWrongEncryptionKey) {
  make_older();
  forget_columns();
  StoreOptions options = this->options();
  options.encryption_key = Secret(std::string(32, 'w'));
  const auto refused = open_database(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLocked);
  EXPECT_EQ(definition("proxy_configs").find("retry_on_empty"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(copy()));
}

TEST_F(FieldColumns, SurviveBeingKilledInEveryStatementThatAddsThem) {
  make_older();
  forget_columns();
  const std::string older = content(path());
  int kills = 0;
  for (int statement = 0;; ++statement) {
    for (const std::string& file : {path(), path() + "-wal", path() + "-shm", copy(), copy() + ".new"}) {
      std::filesystem::remove(file);
    }
    std::ofstream(path(), std::ios::binary) << older;
    if (!killed_while_opening(path(), statement)) break;
    ++kills;
    const auto database = open();  // resumes
    EXPECT_EQ(database->config().find_service(id_).value().slug, "a") << statement;
    EXPECT_EQ(database->config().list_keys(id_).value().size(), 3U) << statement;
    EXPECT_EQ(sql("PRAGMA integrity_check"), "ok");
    EXPECT_FALSE(std::filesystem::exists(copy() + "-2")) << statement;
  }
  EXPECT_GT(kills, 10);
}

// Something else than the default, where the kind of field alone tells what that could be.
template <class Owner>
void change(const Field<Owner>& field, Owner& object) {
  std::visit(Overloaded{
                 [&](bool& (*at)(Owner&)) { at(object) = !at(object); },
                 [&]<std::integral Number>(Number& (*at)(Owner&)) { at(object) = static_cast<Number>(at(object) + 1); },
                 [&](std::chrono::milliseconds& (*at)(Owner&)) { ++at(object); },
                 [&](std::string& (*at)(Owner&)) { at(object) += "'x"; },
                 [](const auto&) {},
             },
             field.member);
}

TEST_F(FieldColumns, KeepEveryFieldOfAService) {
  const auto database = open();
  Service service = example_llm_service("a");
  service.type = ServiceType::kGeneric;  // which has a validation_path
  service.key_placement = KeyPlacement{.location = KeyLocation::kPath};
  service.cors_origins = {"https://a.example", "app://it's"};
  for (const Field<Service>& field : service_fields()) change(field, service);
  service.id = database->config().add_service(service).value().id;
  const auto expect_kept = [&] {
    const Service kept = database->config().find_service(service.id).value();
    for (const Field<Service>& field : service_fields()) {
      EXPECT_EQ(field_value(field, kept), field_value(field, service)) << field.name;
    }
    service.revision = kept.revision;
  };
  expect_kept();
  for (const Field<Service>& field : service_fields()) change(field, service);
  ASSERT_TRUE(database->config().update_service(service));
  expect_kept();
}

TEST_F(FieldColumns, KeepEveryFieldOfAKey) {
  const auto database = open();
  const ServiceId service = database->config().add_service(example_service("a")).value().id;
  NewKey added{.secret = Secret("sk-1")};
  for (const Field<NewKey>& field : key_fields<NewKey>()) change(field, added);
  UpstreamKey wanted;
  for (const Field<UpstreamKey>& field : key_fields<UpstreamKey>()) change(field, wanted);
  const KeyId id = database->config().add_keys(service, {&added, 1}).value().front().id;
  const auto expect_kept = [&](const UpstreamKey& kept) {
    for (const Field<UpstreamKey>& field : key_fields<UpstreamKey>()) {
      EXPECT_EQ(field_value(field, kept), field_value(field, wanted)) << field.name;
    }
  };
  expect_kept(database->config().list_keys(service).value().front());
  for (const Field<UpstreamKey>& field : key_fields<UpstreamKey>()) change(field, wanted);
  const auto edit = [&](UpstreamKey& key) -> Result<void> {
    for (const Field<UpstreamKey>& field : key_fields<UpstreamKey>()) change(field, key);
    return {};
  };
  ASSERT_TRUE(database->config().edit_key(id, edit));
  expect_kept(database->config().find_key(id).value());
}

}  // namespace
}  // namespace akr
