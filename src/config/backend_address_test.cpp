#include "config/backend_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akr {
namespace {

using testing::HasSubstr;

constexpr auto kMysql = DatabaseKind::kMysql;
constexpr auto kPostgresql = DatabaseKind::kPostgresql;

struct Expected {
  const char* url;
  DatabaseKind kind;
  const char* user;
  const char* password;
  const char* host;
  int port;
  const char* database;
};

void expect_read(const Expected& expected) {
  const auto url = parse_database_url(expected.url);
  ASSERT_TRUE(url) << expected.url << ": " << url.error().message;
  EXPECT_EQ(url->says.kind, expected.kind) << expected.url;
  const DatabaseServer& server = url->says.server;
  EXPECT_EQ(server.user, expected.user) << expected.url;
  EXPECT_EQ(server.password.expose(), expected.password) << expected.url;
  EXPECT_EQ(server.host, expected.host) << expected.url;
  EXPECT_EQ(server.port, expected.port) << expected.url;
  EXPECT_EQ(server.database, expected.database) << expected.url;
}

TEST(DatabaseUrl, ReadsUrls) {
  for (const Expected& expected : {
           Expected{"mysql://u:p%40w@db/keys?ssl=1", kMysql, "u", "p@w", "db", 0, "keys"},
           {"mariadb://u@db:1/keys", kMysql, "u", "", "db", 1, "keys"},
           {" MySQL+pymysql://u:p@db/keys?charset=utf8mb4\n", kMysql, "u", "p", "db", 0, "keys"},
           {"jdbc:mariadb://db:3307/keys?user=u&password=p%26w", kMysql, "u", "p&w", "db", 3307, "keys"},
           {"postgres://u:p@127.0.0.1.nip.test:1/keys", kPostgresql, "u", "p", "127.0.0.1.nip.test", 1, "keys"},
           {"postgres://u:p?#@w@db/my%2Fkeys", kPostgresql, "u", "p?#@w", "db", 0, "my/keys"},
           {"postgresql://u:p@[2001:db8::1]:5433/keys?sslmode=require", kPostgresql, "u", "p", "2001:db8::1", 5433,
            "keys"},
           {"postgresql+psycopg2://db", kPostgresql, "", "", "db", 0, ""},
           {"postgresql://db?dbname=keys&port=5433&connect_timeout=3", kPostgresql, "", "", "db", 5433, "keys"},
           {"jdbc:postgresql://db/keys?currentSchema=x", kPostgresql, "", "", "db", 0, "keys"},
           {"postgresql://u@old:1/old?host=new&port=2&user=v&password=p&dbname=keys", kPostgresql, "v", "p", "new", 2,
            "keys"},
       }) {
    expect_read(expected);
  }
}

TEST(DatabaseUrl, ReadsWhatGosDriverWrites) {
  for (const Expected& expected : {
           Expected{"mysql://root:pw@tcp(db:3307)/keys?charset=utf8mb4&loc=Local", kMysql, "root", "pw", "db", 3307,
                    "keys"},
           {"root:p:w@x/y@tcp(db:3307)/keys", kMysql, "root", "p:w@x/y", "db", 3307, "keys"},
           {"root:%zz)/@tcp(db)/keys?loc=Asia/Shanghai", kMysql, "root", "%zz)/", "db", 0, "keys"},
           {"tcp(db)/keys", kMysql, "", "", "db", 0, "keys"},
           {"root@tcp([::1]:3306)/keys", kMysql, "root", "", "::1", 3306, "keys"},
           {"mysql:p@tcp(db)/keys", kMysql, "mysql", "p", "db", 0, "keys"},
           {"u:p@unix(/run/mysqld.sock)/keys", kMysql, "u", "p", "/run/mysqld.sock", 0, "keys"},
       }) {
    expect_read(expected);
  }
}

TEST(DatabaseUrl, ReadsPathsOfSockets) {
  for (const Expected& expected : {
           Expected{"postgresql:///keys?host=/run/postgresql", kPostgresql, "", "", "/run/postgresql", 0, "keys"},
           {"postgresql://u@%2Frun%2Fpg:5433/keys", kPostgresql, "u", "", "/run/pg", 5433, "keys"},
           {"mysql://u:p@localhost/keys?unix_socket=/run/my.sock", kMysql, "u", "p", "/run/my.sock", 0, "keys"},
           {"mysql://u:p@localhost/keys?socket=%2Frun%2Fmy.sock", kMysql, "u", "p", "/run/my.sock", 0, "keys"},
       }) {
    expect_read(expected);
  }
}

TEST(DatabaseUrl, SqliteNamesAFile) {
  const auto file = [](const char* url) { return parse_database_url(url).value().says.file; };
  EXPECT_EQ(file("sqlite:data/x.db"), "data/x.db");
  EXPECT_EQ(file("sqlite:///var/x.db"), "/var/x.db");
  EXPECT_EQ(file("sqlite3://x.db"), "x.db");
  EXPECT_EQ(file("jdbc:sqlite:x.db"), "x.db");
  EXPECT_EQ(file("FILE:x.db"), "x.db");
}

TEST(DatabaseUrl, RefusesWhatItDoesNotKnowAndSaysWhy) {
  const std::pair<const char*, const char*> cases[] = {{"", "begin with one of sqlite:, mysql://"},
                                                       {"mysql", "begin with one of"},
                                                       {"oracle://u:p@db/keys", "postgres://"},
                                                       {"mysql:root", "begin with one of"},
                                                       {"sqlite:", "names no file"},
                                                       {"mysql://u:p@db:0/keys", "port"},
                                                       {"mysql://u:p@db:70000/keys", "port"},
                                                       {"mysql://u:p@db:x/keys", "port"},
                                                       {"mysql://db/keys?port=x", "port"},
                                                       {"mysql://u:%zz@db/keys", "write '/' as %2F"},
                                                       {"mysql://u:%00@db/keys", "%00"},
                                                       {"postgres://u@db/%zz", "hexadecimal"},
                                                       {"mysql://u:p/w@db/keys", "'@' stands behind its host"},
                                                       {"mysql://u:1/w?x=y@db/keys", "'@' stands behind its host"},
                                                       {"postgres://u:p@[::1/keys", "host"},
                                                       {"postgres://u@[db]/keys", "host"},
                                                       {"postgres://u@a b/keys", "host"},
                                                       {"postgres://u@a,b/keys", "host"},
                                                       {"postgres://tcp(db)/keys", "host"},
                                                       {"mysql://u@[::1]x/keys", "host"},
                                                       {"mysql://u@good?x@evil#/keys", "host"},
                                                       {"mysql://u@good#y/keys", "host"},
                                                       {"mysql://u@db/keys?host=a%20b", "host"},
                                                       {"u:p@tcp(db:3306", "USER:PASSWORD@tcp"},
                                                       {"u:p@tcp(db)", "USER:PASSWORD@tcp"},
                                                       {"u:p@tcp()/keys", "USER:PASSWORD@tcp"},
                                                       {"u:p@unix(run)/keys", "USER:PASSWORD@unix"},
                                                       {"@tcp(", "tcp"},
                                                       {"tcp(", "tcp"},
                                                       {"/", "tcp"},
                                                       {"tcp(/", "tcp"},
                                                       {"unix(/)", "tcp"},
                                                       {"x)/@tcp(", "tcp"}};
  for (const auto& [url, reason] : cases) {
    const auto read = parse_database_url(url);
    ASSERT_FALSE(read) << url;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(read.error().message, HasSubstr(reason)) << url;
  }
}

// Whatever is wrong around it, and however badly it is written down.
TEST(DatabaseUrl, NoErrorRepeatsAPartOfThePassword) {
  constexpr std::string_view kAround[] = {
      "mysql://u:*@db/keys", "mysql://u:*@db:x/keys", "mysql://u:*@a b/keys",   "postgres://u:*@db/keys?sslmode=*",
      "*://u:*@db",          "u:*@tcp(db/keys",       "u:*@tcp(*)/keys?tls=*",  "mysql://db/keys?password=*&*=*",
      "mysql://*",           "mysql:///?ssl*=*",      "postgres://u@db:*/keys", "postgres://u@db/keys?port=*&host=*"};
  constexpr std::string_view kPasswords[] = {
      "canary",          "%canary",  "1/canary", "canary/1?tls=canary", "1?sslcanary=1", "1/x?sslcanary=1",
      "&sslmode=canary", "@canary@", "[canary",  "%00canary",           "1/x?canary=y",  "x&ssl_canary=1&",
      "1/?tlscanary",    ")/canary", "#canary"};
  int refused = 0;
  for (std::string_view around : kAround) {
    for (std::string_view password : kPasswords) {
      std::string url(around);
      for (auto at = url.find('*'); at != std::string::npos; at = url.find('*', at + password.size())) {
        url.replace(at, 1, password);
      }
      auto read = parse_database_url(url);
      const auto whole = read ? complete_address(*std::move(read)) : Result<DatabaseAddress>(read.error());
      if (whole) continue;
      ++refused;
      EXPECT_EQ(whole.error().message.find("canary"), std::string::npos) << url << ": " << whole.error().message;
    }
  }
  EXPECT_GT(refused, 100);
}

DatabaseAddress complete(const char* url) { return complete_address(parse_database_url(url).value()).value(); }

TEST(CompleteAddress, FillsInWhatIsUsual) {
  EXPECT_EQ(complete("mysql://db/keys").server.port, 3306);
  EXPECT_EQ(complete("mysql://db/keys").server.user, "root");
  EXPECT_EQ(complete("postgres://db/keys").server.port, 5432);
  EXPECT_EQ(complete("postgres://db/keys").server.user, "postgres");
  EXPECT_EQ(complete("postgres://u@db:1/keys").server.user, "u");
  EXPECT_EQ(complete("sqlite:x.db").file, "x.db");
}

TEST(CompleteAddress, HostAndDatabaseAreNotGuessed) {
  for (const auto& [url, reason] : {std::pair{"mysql://", "no host"},
                                    {"mysql://u:p@/keys", "no host"},
                                    {"mysql://db", "no database"},
                                    {"mysql://db/", "no database"},
                                    {"postgres://db?sslmode=require", "no database"},
                                    {"mysql://db/keys?ssl-cert=/c.pem", "certificate needs its key"},
                                    {"mysql://db/keys?ssl-key=/k.pem", "certificate needs its key"}}) {
    const auto address = complete_address(parse_database_url(url).value());
    ASSERT_FALSE(address) << url;
    EXPECT_THAT(address.error().message, HasSubstr(reason)) << url;
  }
}

TEST(CompleteAddress, ACaThatIsNamedIsUsed) {
  const auto tls = [](const char* url) { return complete(url).server.tls; };
  EXPECT_EQ(tls("mysql://db/keys"), DatabaseTls::kPrefer);
  EXPECT_EQ(tls("mysql://db/keys?ssl-ca=/ca.pem"), DatabaseTls::kVerifyCa);
  EXPECT_EQ(tls("postgres://db/keys?sslmode=require"), DatabaseTls::kRequire);
  EXPECT_EQ(tls("postgres://db/keys?sslmode=require&sslrootcert=/ca.pem"), DatabaseTls::kVerifyCa);
  EXPECT_EQ(tls("postgres://db/keys?sslmode=verify-full&sslrootcert=/ca.pem"), DatabaseTls::kVerifyFull);
  EXPECT_EQ(tls("postgres://db/keys?sslmode=disable&sslrootcert=/ca.pem"), DatabaseTls::kDisable);
}

TEST(WithoutPassword, IsWhatCanBeReadAgain) {
  for (const char* url : {"mysql://root@db:3306/keys", "postgresql://a%40b@[2001:db8::1]:5433/my%20keys",
                          "mysql://u@%2Frun%2Fmy.sock:3306/keys", "sqlite:data/x.db"}) {
    EXPECT_EQ(without_password(complete(url)), url);
  }
  EXPECT_EQ(without_password(complete("root:canary@tcp(db)/keys")), "mysql://root@db:3306/keys");
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
  for (const char* wrong :
       {"", "cache:6379", "redis://", "redis://:p@", "redis://cache/x", "redis://%2Frun", "http://cache"}) {
    EXPECT_FALSE(parse_redis_url(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace akr
