// What an operator is told of each error of PostgreSQL's, and whether the same may work at once, later or never.
#include "store/postgresql/postgresql_errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/postgresql/soci-postgresql.h>

#include "store/postgresql/no_connection.hpp"

namespace akr {
namespace {

using testing::HasSubstr;
using testing::Not;

const DatabaseServer kServer{
    .host = "db", .port = 5432, .user = "gate", .password = Secret("pa55word"), .database = "keys"};

SqlFailure explain(const char* state, const std::string& message = "the server's own words with pa55word") {
  return explain_postgresql(soci::postgresql_soci_error(message, state), kServer, "PostgreSQL at db:5432");
}

SqlFailure explain_missing(const char* state, const std::string& message = "pa55word") {
  return explain_postgresql(NoConnection(message, state), kServer, "PostgreSQL at db:5432");
}

struct Case {
  const char* state;
  ErrorCode code;
  const char* field;
  const char* words;
};

void expect_told(const Case& each, const Error& error) {
  EXPECT_EQ(error.code, each.code) << each.state;
  EXPECT_EQ(error.field, each.field) << each.state;
  EXPECT_THAT(error.message, HasSubstr(each.words)) << each.state;
  EXPECT_THAT(error.message, Not(HasSubstr("pa55word"))) << each.state;
}

TEST(PostgresqlErrors, SayWhyThereIsNoConnection) {
  constexpr Case kCases[] = {{"28P01", ErrorCode::kStoreRefused, "password", "correct them"},
                             {"28000", ErrorCode::kStoreRefused, "user", "pg_hba.conf"},
                             {"3D000", ErrorCode::kStoreRefused, "database", "create it"},
                             {"42501", ErrorCode::kStoreRefused, "database", "GRANT CONNECT"},
                             {"53300", ErrorCode::kStoreUnavailable, "", "max_connections"},
                             {"57P03", ErrorCode::kStoreUnavailable, "", "57P03"},
                             {"", ErrorCode::kStoreUnavailable, "", "is it running"}};
  for (const Case& each : kCases) {
    expect_told(each, explain_missing(each.state).error);
    EXPECT_TRUE(explain_missing(each.state).reconnect);
  }
}

TEST(PostgresqlErrors, NameWhatIsToBlameAndWhatToDo) {
  constexpr Case kCases[] = {{"42501", ErrorCode::kStoreRefused, "user", "GRANT USAGE"},
                             {"25006", ErrorCode::kStoreUnavailable, "", "read-only"},
                             {"53100", ErrorCode::kStoreUnavailable, "", "full"},
                             {"55P03", ErrorCode::kStoreUnavailable, "", "holds the row"},
                             {"22001", ErrorCode::kInvalid, "", "length"},
                             {"42601", ErrorCode::kInternal, "", "42601"}};
  for (const Case& each : kCases) expect_told(each, explain(each.state).error);
}

TEST(PostgresqlErrors, NameTheColumnThatIsTakenInAnyLanguage) {
  EXPECT_EQ(explain("23505", "doppelter Schlüsselwert verletzt »idx« \"idx_proxy_configs_slug\"").error.field, "slug");
  EXPECT_EQ(explain("23505", "x \"akr_commits_pkey\"").error.code, ErrorCode::kConflict);
}

TEST(PostgresqlErrors, TellWhatMayWorkAtOnceAndInWhichSession) {
  EXPECT_TRUE(explain("40P01").passes);
  EXPECT_FALSE(explain("40P01").reconnect);
  for (const char* lost : {"57P01", "08006", "     "}) {
    EXPECT_TRUE(explain(lost).passes) << lost;
    EXPECT_TRUE(explain(lost).reconnect) << lost;
  }
  EXPECT_FALSE(explain("57014").passes);
  EXPECT_TRUE(explain("25006").reconnect);
}

TEST(PostgresqlErrors, TellAWrongCertificateFromAServerThatIsGoing) {
  EXPECT_EQ(explain_missing("", "SSL error: certificate verify failed").error.field, "tls");
  EXPECT_THAT(explain_missing("", "server does not support SSL, but SSL was required").error.message,
              HasSubstr("offers no TLS"));
  EXPECT_THAT(explain_missing("", "SSL error: tlsv1 alert unknown ca").error.message, HasSubstr("our certificate"));
  EXPECT_EQ(explain_missing("", "SSL connection has been closed unexpectedly").error.code,
            ErrorCode::kStoreUnavailable);
}

}  // namespace
}  // namespace akr
