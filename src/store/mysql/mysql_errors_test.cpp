// What an operator is told of each error of MySQL's, and whether the same may work at once, later or never.
#include "store/mysql/mysql_errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/mysql/soci-mysql.h>

namespace akr {
namespace {

using testing::HasSubstr;
using testing::Not;

const DatabaseServer kServer{
    .host = "db", .port = 3306, .user = "gate", .password = Secret("pa55word"), .database = "keys"};

SqlFailure explain(int number, const std::string& message = "the server's own words with pa55word") {
  return explain_mysql(soci::mysql_soci_error(message, number), kServer, "MySQL at db:3306");
}

struct Case {
  int number;
  ErrorCode code;
  const char* field;
  const char* words;
};

TEST(MysqlErrors, NameWhatIsToBlameAndWhatToDo) {
  constexpr Case kCases[] = {{1045, ErrorCode::kStoreRefused, "password", "correct them"},
                             {1049, ErrorCode::kStoreRefused, "database", "create it"},
                             {1044, ErrorCode::kStoreRefused, "database", "grant it"},
                             {1130, ErrorCode::kStoreRefused, "user", "CREATE USER"},
                             {1142, ErrorCode::kStoreRefused, "user", "GRANT SELECT"},
                             {2059, ErrorCode::kStoreRefused, "user", "plug-in"},
                             {5010, ErrorCode::kStoreRefused, "tls", "verify-full"},
                             {1153, ErrorCode::kStoreRefused, "", "max_allowed_packet"},
                             {1040, ErrorCode::kStoreUnavailable, "", "max_connections"},
                             {1290, ErrorCode::kStoreUnavailable, "", "read-only"},
                             {1021, ErrorCode::kStoreUnavailable, "", "full"},
                             {2002, ErrorCode::kStoreUnavailable, "", "is it running"},
                             {2005, ErrorCode::kStoreUnavailable, "", "no such host"},
                             {1406, ErrorCode::kInvalid, "", "length"},
                             {9999, ErrorCode::kInternal, "", "9999"}};
  for (const Case& each : kCases) {
    const Error error = explain(each.number).error;
    EXPECT_EQ(error.code, each.code) << each.number;
    EXPECT_EQ(error.field, each.field) << each.number;
    EXPECT_THAT(error.message, HasSubstr(each.words)) << each.number;
    EXPECT_THAT(error.message, Not(HasSubstr("pa55word"))) << each.number;
  }
}

TEST(MysqlErrors, NameTheColumnThatIsTaken) {
  EXPECT_EQ(explain(1062, "Duplicate entry 'a' for key 'idx_proxy_configs_slug'").error.field, "slug");
  EXPECT_EQ(explain(1062, "Duplicate entry 'a' for key 'proxy_configs.idx_proxy_configs_name'").error.field, "name");
  EXPECT_EQ(explain(1062, "Duplicate entry 'x' for key 'PRIMARY'").error.code, ErrorCode::kConflict);
}

TEST(MysqlErrors, TellWhatMayWorkAtOnceAndInWhichSession) {
  EXPECT_TRUE(explain(1213).passes);
  EXPECT_FALSE(explain(1213).reconnect);
  for (const int lost : {2006, 2013, 1053, 1927, 1047}) {
    EXPECT_TRUE(explain(lost).passes) << lost;
    EXPECT_TRUE(explain(lost).reconnect) << lost;
  }
  for (const int refused : {1045, 1062, 1142, 1205, 9999}) EXPECT_FALSE(explain(refused).passes) << refused;
}

TEST(MysqlErrors, TellAWrongCertificateFromAServerThatIsGoing) {
  EXPECT_EQ(explain(2026, "TLS/SSL error: self-signed certificate in certificate chain").error.field, "tls");
  EXPECT_THAT(explain(2026, "SSL is required, but the server does not support it").error.message,
              HasSubstr("offers no TLS"));
  EXPECT_THAT(explain(2026, "TLS/SSL error: tlsv1 alert unknown ca").error.message, HasSubstr("our certificate"));
  EXPECT_EQ(explain(2026, "TLS/SSL error: unexpected eof while reading").error.code, ErrorCode::kStoreUnavailable);
}

}  // namespace
}  // namespace akr
