// What the tests of the stores rely on: that the servers they start are what they say.
#include <future>

#include "store/server_fixture.hpp"

namespace akr {
namespace {

template <class Fixture>
class ServerProcess : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string package = Fixture::missing(); !package.empty()) GTEST_SKIP() << package << " is missing";
  }
  std::string sql(const std::string& text) { return fixture_.sql(text); }
  test::DatabaseClient as_user() {
    test::DatabaseLogin login = fixture_.server().admin(fixture_.database());
    login.user = test::kDatabaseUser;
    return test::DatabaseClient(login);
  }

  Fixture fixture_;
};

TYPED_TEST_SUITE_P(ServerProcess);

TYPED_TEST_P(ServerProcess, TheUserOwnsItsDatabaseAndNothingElse) {
  EXPECT_EQ(this->as_user().query("CREATE TABLE t (a int); INSERT INTO t VALUES (1); SELECT a FROM t"), "1");
  EXPECT_EQ(this->sql("SELECT a FROM t"), "1");
  EXPECT_THROW(this->as_user().query("CREATE DATABASE other"), std::runtime_error);
}

TYPED_TEST_P(ServerProcess, WhatIsWrittenSurvivesARestart) {
  this->sql("CREATE TABLE t (a int); INSERT INTO t VALUES (7)");
  test::DatabaseProcess& server = this->fixture_.server();
  server.stop();
  EXPECT_THROW(this->sql("SELECT 1"), std::runtime_error);
  server.start();
  EXPECT_EQ(this->sql("SELECT a FROM t"), "7");
}

TYPED_TEST_P(ServerProcess, ADurableServerForgetsNothingWhenItIsKilled) {
  test::DatabaseProcess server(this->fixture_.server().kind(), {.durable = true});
  const OwnDatabase own(server);
  server.sql("CREATE TABLE t (a int)", own.name());
  for (int i = 1; i <= 3; ++i) {
    server.sql("INSERT INTO t VALUES (1)", own.name());
    server.kill();
    server.start();
    EXPECT_EQ(server.sql("SELECT count(*) FROM t", own.name()), std::to_string(i));
  }
}

TYPED_TEST_P(ServerProcess, APausedServerSaysNothingUntilItIsResumed) {
  test::DatabaseClient open = this->as_user();
  this->fixture_.server().pause();
  auto answer = std::async(std::launch::async, [&] { return open.query("SELECT 1"); });
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  this->fixture_.server().resume();
  EXPECT_EQ(answer.get(), "1");
}

REGISTER_TYPED_TEST_SUITE_P(ServerProcess, TheUserOwnsItsDatabaseAndNothingElse, WhatIsWrittenSurvivesARestart,
                            ADurableServerForgetsNothingWhenItIsKilled, APausedServerSaysNothingUntilItIsResumed);
INSTANTIATE_TYPED_TEST_SUITE_P(Mysql, ServerProcess, MysqlFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgresql, ServerProcess, PostgresqlFixture);

}  // namespace
}  // namespace akr
