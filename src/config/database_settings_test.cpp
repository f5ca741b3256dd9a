#include "config/database_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/backend_address.hpp"
#include "config/backend_choice.hpp"
#include "config/load.hpp"

namespace akr {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kCanary[] = "canary-pw";

Result<std::unique_ptr<Settings>> load(Environment environment) {
  environment["GLOBAL_PROXY_KEYS"] = "an-access-key-0001";
  return load_settings(environment, "");
}

DatabaseAddress address_of(const Environment& environment) {
  const auto settings = load(environment);
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? database_at(**settings) : DatabaseAddress{};
}

std::string text_of(const Environment& environment) { return without_password(address_of(environment)); }

TEST(DatabaseSettings, ATypeAloneMeansTheUsualServerOnThisMachine) {
  EXPECT_EQ(text_of({{"DB_TYPE", "mysql"}}), "mysql://root@localhost:3306/api_key_rotator");
  EXPECT_EQ(text_of({{"DB_TYPE", "MariaDB"}}), "mysql://root@localhost:3306/api_key_rotator");
  EXPECT_EQ(text_of({{"DB_TYPE", "postgres"}}), "postgresql://postgres@localhost:5432/api_key_rotator");
}

TEST(DatabaseSettings, PartsMakeAnAddress) {
  Environment parts = {{"DB_TYPE", "postgresql"}, {"DB_HOST", "db"},   {"DB_PORT", "6432"},  {"DB_USER", "app"},
                       {"DB_PASSWORD", "p@/%:w"}, {"DB_NAME", "keys"}, {"MYSQL_HOST", "old"}};
  EXPECT_EQ(text_of(parts), "postgresql://app@db:6432/keys");
  EXPECT_EQ(address_of(parts).server.password.expose(), "p@/%:w");
  parts["DB_TYPE"] = "mysql";
  EXPECT_EQ(text_of(parts), "mysql://app@db:6432/keys");
  parts.erase("DB_HOST");
  EXPECT_EQ(text_of(parts), "mysql://app@old:6432/keys");
  parts["MYSQL_DB_HOST"] = "::1";
  EXPECT_EQ(text_of(parts), "mysql://app@[::1]:6432/keys");
  parts["DB_HOST"] = "/run/mysqld/mysqld.sock";
  EXPECT_EQ(address_of(parts).server.host, "/run/mysqld/mysqld.sock");
}

TEST(DatabaseSettings, AHostWithAPortOrAUrlInItIsRefused) {
  for (const char* host : {"db:3306", "mysql://db", "[::1]", "a b", "/"}) {
    const auto settings = load({{"DB_TYPE", "mysql"}, {"DB_HOST", host}});
    ASSERT_FALSE(settings) << host;
    EXPECT_EQ(settings.error().field, "DB_HOST");
    EXPECT_THAT(settings.error().message, HasSubstr("DB_PORT"));
  }
}

// So that the password can live apart from the address.
TEST(DatabaseSettings, WhatTheAddressLeavesOutIsFilledIn) {
  Environment environment = {{"DATABASE_URL", "mysql://db:3307"},
                             {"DB_USER", "app"},
                             {"DB_PASSWORD", kCanary},
                             {"DB_NAME", "keys"},
                             {"DB_PORT", "1"}};
  EXPECT_EQ(text_of(environment), "mysql://app@db:3307/keys");
  EXPECT_EQ(address_of(environment).server.password.expose(), kCanary);
  environment["DATABASE_URL"] = "mysql://u:p@db/own";
  EXPECT_EQ(text_of(environment), "mysql://u@db:3306/own");
  EXPECT_EQ(address_of(environment).server.password.expose(), "p");
  environment["DATABASE_URL"] = "mysql:///own";
  environment["DB_HOST"] = "there";
  EXPECT_EQ(text_of(environment), "mysql://app@there:1/own");
}

TEST(DatabaseSettings, ThePasswordOfOneServerIsNotShownToAnother) {
  const Environment copied = {{"DB_HOST", "mysql_db"}, {"DB_USER", "root"}, {"DB_PASSWORD", kCanary}, {"DB_NAME", "k"}};
  Environment environment = copied;
  environment["DATABASE_URL"] = "postgresql://elsewhere/keys";
  EXPECT_EQ(text_of(environment), "postgresql://postgres@elsewhere:5432/keys");
  EXPECT_TRUE(address_of(environment).server.password.empty());
  EXPECT_THAT((*load(environment))->warnings,
              testing::Contains("DB_HOST, DB_USER, DB_PASSWORD, DB_NAME: ignored, DATABASE_URL says otherwise"));
  environment["DATABASE_URL"] = "mysql://MySQL_DB/keys";
  EXPECT_EQ(address_of(environment).server.password.expose(), kCanary);
}

TEST(DatabaseSettings, TheDefaultNameIsNotPutBehindAnAddress) {
  const auto settings = load({{"DATABASE_URL", "mysql://u@db"}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().message,
            "DATABASE_URL=**** is not allowed: it names no database; put /NAME behind the host");
}

TEST(DatabaseSettings, TlsIsFilledInWhereTheAddressSaysNothing) {
  Environment environment = {{"DB_TYPE", "postgresql"}, {"DB_SSL_MODE", "verify-full"}, {"DB_SSL_CA", "/ca.pem"}};
  EXPECT_EQ(address_of(environment).server.tls, DatabaseTls::kVerifyFull);
  EXPECT_EQ(address_of(environment).server.ca_file, "/ca.pem");
  environment["DATABASE_URL"] = "postgresql://db/keys?sslmode=disable&sslrootcert=/other.pem";
  EXPECT_EQ(address_of(environment).server.tls, DatabaseTls::kDisable);
  EXPECT_EQ(address_of(environment).server.ca_file, "/other.pem");
  EXPECT_THAT((*load(environment))->warnings, testing::Contains(HasSubstr("DB_SSL_MODE, DB_SSL_CA: ignored")));
  EXPECT_EQ(address_of({{"DB_TYPE", "mysql"}}).server.tls, DatabaseTls::kPrefer);
  EXPECT_EQ(address_of({{"DB_TYPE", "mysql"}, {"DB_SSL_CA", "/ca"}}).server.tls, DatabaseTls::kVerifyCa);
  EXPECT_EQ(load({{"DB_TYPE", "mysql"}, {"DB_SSL_MODE", "sometimes"}}).error().field, "DB_SSL_MODE");
}

TEST(DatabaseSettings, ACertificateNeedsItsKey) {
  EXPECT_EQ(load({{"DB_TYPE", "mysql"}, {"DB_SSL_CERT", "/c"}}).error().field, "DB_SSL_KEY");
  EXPECT_EQ(load({{"DB_TYPE", "mysql"}, {"DB_SSL_KEY", "/k"}}).error().field, "DB_SSL_CERT");
  EXPECT_EQ(address_of({{"DB_TYPE", "mysql"}, {"DB_SSL_KEY", "/k"}, {"DB_SSL_CERT", "/c"}}).server.key_file, "/k");
}

TEST(DatabaseSettings, NoWarningAndNoErrorShowsAPassword) {
  for (const Environment& environment :
       {Environment{{"DATABASE_URL", "mysql://u:canary-pw@db:x/keys"}},
        Environment{{"DATABASE_URL", "mysql://u:p@db/keys"}, {"DB_PASSWORD", kCanary}, {"DB_HOST", "db"}},
        Environment{{"DATABASE_URL", "mysql://u:canary-pw@db/keys"}, {"DB_TYPE", "sqlite"}},
        Environment{{"DATABASE_URL", "mysql://u:canary-pw@db/keys"}, {"DB_TYPE", "postgres"}},
        Environment{{"DB_PASSWORD", kCanary}, {"DB_HOST", "db"}}}) {
    const auto settings = load(environment);
    if (!settings) EXPECT_THAT(settings.error().message, Not(HasSubstr(kCanary)));
    if (!settings) continue;
    for (const std::string& warning : (*settings)->warnings) EXPECT_THAT(warning, Not(HasSubstr(kCanary)));
  }
}

TEST(SettingOfPart, NamesWhatWasGiven) {
  const auto part = [](const Environment& environment, std::string_view what) {
    return setting_of_part(**load(environment), what);
  };
  const Environment url = {{"DATABASE_URL", "mysql://db/keys"}};
  for (const char* what : {"", "host", "user", "password", "database", "tls"}) {
    EXPECT_EQ(part(url, what), "DATABASE_URL") << what;
  }
  const Environment filled = {{"DATABASE_URL", "mysql://u@db/keys"}, {"DB_PASSWORD", "x"}, {"DB_SSL_CA", "/ca"}};
  EXPECT_EQ(part(filled, "password"), "DB_PASSWORD");
  EXPECT_EQ(part(filled, "user"), "DATABASE_URL");
  EXPECT_EQ(part(filled, "tls"), "DATABASE_URL, DB_SSL_CA");
  const Environment left_over = {{"DATABASE_URL", "mysql://u@db/keys"}, {"DB_PASSWORD", "x"}, {"DB_HOST", "old"}};
  EXPECT_EQ(part(left_over, "password"), "DATABASE_URL");
  const Environment parts = {{"DB_TYPE", "mysql"}, {"MYSQL_HOST", "db"}};
  EXPECT_EQ(part(parts, ""), "DB_TYPE, MYSQL_HOST");
  EXPECT_EQ(part(parts, "host"), "MYSQL_HOST");
  EXPECT_EQ(part(parts, "user"), "DB_USER");
  EXPECT_EQ(part(parts, "password"), "DB_PASSWORD");
  EXPECT_EQ(part(parts, "database"), "DB_NAME");
  EXPECT_EQ(part(parts, "tls"), "DB_SSL_MODE");
  EXPECT_EQ(part({{"DB_TYPE", "postgres"}}, "host"), "DB_HOST");
}

}  // namespace
}  // namespace akr
