#include "config/database_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akr {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kMysql = DatabaseKind::kMysql;
constexpr auto kPostgresql = DatabaseKind::kPostgresql;

std::optional<DatabaseTls> tls(DatabaseKind kind, std::string_view text) {
  const auto options = read_database_options(kind, text);
  EXPECT_TRUE(options) << text << ": " << options.error().message;
  return options ? options->tls : std::nullopt;
}

TEST(DatabaseOptions, TlsIsReadInTheWordsOfEveryClient) {
  const std::pair<const char*, DatabaseTls> cases[] = {
      {"sslmode=disable", DatabaseTls::kDisable},       {"sslmode=allow", DatabaseTls::kPrefer},
      {"sslmode=prefer", DatabaseTls::kPrefer},         {"sslmode=require", DatabaseTls::kRequire},
      {"sslmode=verify-ca", DatabaseTls::kVerifyCa},    {"sslmode=verify-full", DatabaseTls::kVerifyFull},
      {"ssl-mode=DISABLED", DatabaseTls::kDisable},     {"ssl-mode=PREFERRED", DatabaseTls::kPrefer},
      {"sslMode=REQUIRED", DatabaseTls::kRequire},      {"ssl_mode=VERIFY_CA", DatabaseTls::kVerifyCa},
      {"tls=preferred", DatabaseTls::kPrefer},          {"ssl-mode=VERIFY_IDENTITY", DatabaseTls::kVerifyFull},
      {"tls=true", DatabaseTls::kVerifyFull},           {"tls=false", DatabaseTls::kDisable},
      {"tls=skip-verify", DatabaseTls::kRequire},       {"useSSL=false", DatabaseTls::kDisable},
      {"ssl=require", DatabaseTls::kRequire},           {"a=b&&sslmode=require&c", DatabaseTls::kRequire},
      {"ssl=true&sslmode=prefer", DatabaseTls::kPrefer}};
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(tls(kMysql, text), expected) << text;
    EXPECT_EQ(tls(kPostgresql, text), expected) << text;
  }
  EXPECT_EQ(tls(kMysql, "charset=utf8mb4&parseTime=True&loc=Local&classLoader=x"), std::nullopt);
}

TEST(DatabaseOptions, ASwitchMeansWhatItsDriverMeansByIt) {
  EXPECT_EQ(tls(kMysql, "ssl=true"), DatabaseTls::kRequire);
  EXPECT_EQ(tls(kPostgresql, "ssl=true"), DatabaseTls::kVerifyFull);
  EXPECT_EQ(tls(kMysql, "useSSL=true&requireSSL=false&verifyServerCertificate=true"), DatabaseTls::kVerifyCa);
  EXPECT_EQ(tls(kMysql, "useSSL=true&verifyServerCertificate=false"), DatabaseTls::kRequire);
}

TEST(DatabaseOptions, FilesAreReadInBothSpellings) {
  const auto libpq = read_database_options(kPostgresql, "sslrootcert=/ca.pem&sslcert=%2Fc.pem&sslkey=/k.pem").value();
  const auto mysql = read_database_options(kMysql, "ssl-ca=/ca.pem&ssl_cert=/c.pem&sslKey=/k.pem").value();
  for (const DatabaseOptions& options : {libpq, mysql}) {
    EXPECT_EQ(options.ca_file + options.cert_file + options.key_file, "/ca.pem/c.pem/k.pem");
  }
  const auto system = read_database_options(kPostgresql, "sslrootcert=system&sslmode=require").value();
  EXPECT_EQ(system.ca_file, "");
  EXPECT_EQ(system.tls, DatabaseTls::kVerifyFull);
}

// An operator who asks for TLS and misspells it must not get a plain connection.
TEST(DatabaseOptions, TlsThatIsNotUnderstoodIsRefused) {
  const std::pair<const char*, const char*> cases[] = {{"sslmode=canary", "sslmode is not known; allowed is disable"},
                                                       {"ssl-mode=", "ssl-mode is not known"},
                                                       {"tls=canary", "tls is not known; allowed is true"},
                                                       {"ssl=canary", "ssl is not known; allowed is true or false"},
                                                       {"verifyServerCertificate=canary", "true or false"},
                                                       {"sslmod=require", "known are sslmode, sslrootcert"},
                                                       {"sslcanary=1", "known are sslmode"},
                                                       {"tlscanary=canary", "known are sslmode"},
                                                       {"sslmode=%zzcanary", "not percent-encoded"},
                                                       {"sslmode=require&sslmode=disable", "contradicts"},
                                                       {"sslmode=require&tls=false", "contradicts"}};
  for (const auto& [text, reason] : cases) {
    const auto options = read_database_options(kPostgresql, text);
    ASSERT_FALSE(options) << text;
    EXPECT_THAT(options.error().message, HasSubstr(reason));
    EXPECT_THAT(options.error().message, Not(HasSubstr("canary")));
  }
  EXPECT_THAT(read_database_options(kMysql, "sslmode=x").error().message, HasSubstr("VERIFY_IDENTITY"));
}

}  // namespace
}  // namespace akr
