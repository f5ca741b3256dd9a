#include "config/backend_address.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

struct Expected {
  const char* url;
  DatabaseKind kind;
  const char* user;
  const char* password;
  const char* host;
  int port;
  const char* database;
  const char* options;
};

TEST(DatabaseUrl, ReadsEverySpelling) {
  const Expected cases[] = {
      {"mysql://root:pw@tcp(db:3307)/keys?charset=utf8mb4&loc=Local", DatabaseKind::kMysql, "root", "pw", "db", 3307,
       "keys", "charset=utf8mb4&loc=Local"},
      {"root:p:w@x/y@tcp(db:3307)/keys", DatabaseKind::kMysql, "root", "p:w@x/y", "db", 3307, "keys", ""},
      {"tcp(db)/keys", DatabaseKind::kMysql, "", "", "db", 3306, "keys", ""},
      {"root@tcp([::1]:3306)/keys", DatabaseKind::kMysql, "root", "", "::1", 3306, "keys", ""},
      {"u:p@unix(/run/mysqld.sock)/keys", DatabaseKind::kMysql, "u", "p", "/run/mysqld.sock", 3306, "keys", ""},
      {"mysql://u:p%40w@db/keys?ssl=1", DatabaseKind::kMysql, "u", "p@w", "db", 3306, "keys", "ssl=1"},
      {"mariadb://u@db:1/keys", DatabaseKind::kMysql, "u", "", "db", 1, "keys", ""},
      {"postgres://u:p@127.0.0.1.nip.test:1/keys", DatabaseKind::kPostgresql, "u", "p", "127.0.0.1.nip.test", 1, "keys",
       ""},
      {"postgres://u:p@db/keys", DatabaseKind::kPostgresql, "u", "p", "db", 5432, "keys", ""},
      {"postgresql://u:p@[2001:db8::1]:5433/keys?sslmode=require", DatabaseKind::kPostgresql, "u", "p", "2001:db8::1",
       5433, "keys", "sslmode=require"},
  };
  for (const Expected& expected : cases) {
    const auto address = parse_database_url(expected.url);
    ASSERT_TRUE(address) << expected.url;
    EXPECT_EQ(address->kind, expected.kind) << expected.url;
    EXPECT_EQ(address->server.user, expected.user) << expected.url;
    EXPECT_EQ(address->server.password.expose(), expected.password) << expected.url;
    EXPECT_EQ(address->server.host, expected.host) << expected.url;
    EXPECT_EQ(address->server.port, expected.port) << expected.url;
    EXPECT_EQ(address->server.database, expected.database) << expected.url;
    EXPECT_EQ(address->server.options, expected.options) << expected.url;
  }
}

TEST(DatabaseUrl, SqliteNamesAFile) {
  EXPECT_EQ(parse_database_url("sqlite:data/x.db")->file, "data/x.db");
  EXPECT_EQ(parse_database_url("sqlite:///var/x.db")->file, "/var/x.db");
  EXPECT_EQ(parse_database_url("sqlite://x.db")->file, "x.db");
  EXPECT_EQ(parse_database_url("FILE:x.db")->file, "x.db");
}

TEST(DatabaseUrl, RefusesWhatItDoesNotKnow) {
  for (const char* wrong : {"",
                            "mysql",
                            "mysql://",
                            "mysql://db",
                            "mysql://db/",
                            "mysql://u:p@/keys",
                            "mysql://u:p@db:0/keys",
                            "mysql://u:p@db:70000/keys",
                            "mysql://u:p@db:x/keys",
                            "mysql://u:%zz@db/keys",
                            "u:p@tcp(db:3306",
                            "u:p@tcp(db)",
                            "u:p@tcp()/keys",
                            "oracle://u:p@db/keys",
                            "sqlite:",
                            "postgres://u:p@[::1/keys",
                            "mysql://u@[::1]x/keys",
                            "mysql://u@good?x@evil#/keys",
                            "mysql://u@good#y/keys",
                            "postgres://u@a b/keys",
                            "postgres://u@[db]/keys",
                            "@tcp(",
                            "tcp(",
                            "unix(",
                            "/",
                            "tcp(/",
                            "@tcp(/",
                            "unix(/)",
                            "x)/@tcp("}) {
    EXPECT_FALSE(parse_database_url(wrong)) << wrong;
  }
}

TEST(RedisUrl, ReadsPasswordDatabaseAndTls) {
  const auto plain = parse_redis_url("redis://cache");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "cache");
  EXPECT_EQ(plain->port, 6379);
  EXPECT_FALSE(plain->tls);
  const auto full = parse_redis_url("rediss://:p%3aw@cache:6380/2");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->password.expose(), "p:w");
  EXPECT_EQ(full->port, 6380);
  EXPECT_EQ(full->database, "2");
  EXPECT_TRUE(full->tls);
}

TEST(RedisUrl, RefusesWhatItDoesNotKnow) {
  for (const char* wrong : {"", "cache:6379", "redis://", "redis://:p@", "redis://cache/x", "http://cache"}) {
    EXPECT_FALSE(parse_redis_url(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace akr
