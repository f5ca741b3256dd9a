#include "config/backend_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.hpp"

namespace akr {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Result<std::unique_ptr<Settings>> load(Environment environment) {
  environment["GLOBAL_PROXY_KEYS"] = "an-access-key-0001";
  return load_settings(environment, "");
}

TEST(BackendChoice, ARedisThatThisBuildLacksIsRefused) {
  for (const Environment& asked : {Environment{{"CACHE_TYPE", "redis"}}, Environment{{"REDIS_URL", "redis://cache"}}}) {
    const auto settings = load(asked);
    ASSERT_FALSE(settings) << asked.begin()->first;
    EXPECT_EQ(settings.error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(settings.error().field, asked.begin()->first);
    EXPECT_THAT(settings.error().message, HasSubstr("this build has no"));
    EXPECT_THAT(settings.error().message, HasSubstr("set "));
  }
}

// Whether the build has it, is asked later and elsewhere; that SQLite takes its place, never.
TEST(BackendChoice, AServerThatIsChosenIsTheOneThatIsUsed) {
  for (const Environment& asked : {Environment{{"DB_TYPE", "mysql"}}, Environment{{"DB_TYPE", "postgres"}},
                                   Environment{{"DATABASE_URL", "mysql://root:pw@tcp(db:3306)/keys"}},
                                   Environment{{"DATABASE_URL", "postgresql://u:p@db/keys"}}}) {
    const auto settings = load(asked);
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_TRUE(is_server(database_at(**settings).kind));
    EXPECT_EQ(data_directory(**settings), "data");
  }
}

TEST(BackendChoice, WhatCannotBeReadOrContradictsIsRefused) {
  EXPECT_EQ(load({{"DB_TYPE", "mysql"}, {"DATABASE_URL", "mysql://"}}).error().field, "DATABASE_URL");
  EXPECT_EQ(load({{"DB_TYPE", "sqlite"}, {"DATABASE_URL", "mysql://u:p@db:x/k"}}).error().field, "DATABASE_URL");
  EXPECT_EQ(load({{"DB_TYPE", "mysql"}, {"DATABASE_URL", "postgres://u@db/keys"}}).error().field, "DB_TYPE");
  EXPECT_EQ(load({{"DB_TYPE", "postgres"}, {"DATABASE_URL", "sqlite:x.db"}}).error().field, "DB_TYPE");
  EXPECT_EQ(load({{"CACHE_TYPE", "redis"}, {"REDIS_URL", "cache"}}).error().field, "REDIS_URL");
}

TEST(BackendChoice, AServerWithAKeyOfThisMachineOnlyIsWarnedAbout) {
  const auto own = load({{"DB_TYPE", "mysql"}, {"DATA_DIR", "/d"}});
  EXPECT_THAT((*own)->warnings, Contains(HasSubstr("/d/encryption_key is used; every other gateway")));
  const auto given = load({{"DB_TYPE", "mysql"}, {"ENCRYPTION_KEY", std::string(64, 'a')}});
  EXPECT_THAT((*given)->warnings, IsEmpty());
}

TEST(BackendChoice, WhatTheAddressOverrulesIsWarnedAbout) {
  const auto settings = load({{"DATABASE_URL", "mysql://u@db/keys"},
                              {"DB_HOST", "DB"},
                              {"DB_NAME", "other"},
                              {"ENCRYPTION_KEY", std::string(64, 'a')}});
  EXPECT_THAT((*settings)->warnings, testing::ElementsAre("DB_NAME: ignored, DATABASE_URL says otherwise"));
}

TEST(BackendChoice, TheHintsOfACopiedExampleAreWarnedAboutAndIgnored) {
  const auto settings = load({{"DB_HOST", "db"}, {"DB_USER", "root"}, {"MYSQL_HOST", "db"}, {"REDIS_HOST", "cache"}});
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_THAT((*settings)->warnings, Contains(HasSubstr("DB_HOST, DB_USER, MYSQL_HOST: ignored")));
  EXPECT_THAT((*settings)->warnings, Contains(HasSubstr("REDIS_HOST: ignored")));
  EXPECT_EQ(database_at(**settings).file, "data/api_key_rotator.db");
}

TEST(BackendChoice, AnExplicitEmbeddedChoiceSilencesThem) {
  const auto settings =
      load({{"DB_HOST", "db"}, {"REDIS_HOST", "cache"}, {"DB_TYPE", "sqlite"}, {"CACHE_TYPE", "memory"}});
  ASSERT_TRUE(settings);
  EXPECT_THAT((*settings)->warnings, IsEmpty());
}

TEST(BackendChoice, AnExplicitTypeWinsOverAnAddress) {
  const auto settings = load({{"DATABASE_URL", "mysql://u:p@db/keys"},
                              {"REDIS_URL", "redis://cache"},
                              {"DB_TYPE", "sqlite"},
                              {"CACHE_TYPE", "memory"}});
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_THAT((*settings)->warnings, Contains("DATABASE_URL is ignored because DB_TYPE=sqlite"));
  EXPECT_THAT((*settings)->warnings, Contains("REDIS_URL is ignored because CACHE_TYPE=memory"));
}

TEST(BackendChoice, TwoDifferentFilesAreRefused) {
  EXPECT_EQ(load({{"DATABASE_URL", "sqlite:a.db"}, {"DATABASE_PATH", "b.db"}}).error().field, "DATABASE_URL");
  EXPECT_TRUE(load({{"DATABASE_URL", "sqlite:a.db"}, {"DATABASE_PATH", "a.db"}}));
}

}  // namespace
}  // namespace akr
