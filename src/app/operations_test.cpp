#include "app/operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/build_name.hpp"

namespace akr {
namespace {

using testing::HasSubstr;

class Readiness : public testing::Test {
 protected:
  OperationsAnswer ask(const std::string& path) {
    text_ = "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    EXPECT_EQ(head_.parse_request(text_), net::ParseStatus::kDone);
    return operations_.answer(head_);
  }
  std::string text_;
  net::MessageHead head_;
  Metrics metrics_{1};
  Operations operations_{metrics_, {}, {}, [] { return 0U; }};
};

TEST_F(Readiness, TheRootSaysWhichBuildAnswers) {
  EXPECT_EQ(ask("/").body, R"({"name":"api-key-rotator","version":")" AKR_VERSION R"(","build":")" +
                               std::string(build_name()) +
                               R"(","status":"ok"})"
                               "\n");
}

// It said 200 and "ok" while nothing could be stored, and while the database was gone.
TEST_F(Readiness, TellsWhatTheDatabaseIs) {
  EXPECT_EQ(ask("/readyz").status, 503);
  operations_.set_ready(true);
  const auto expect = [&](DatabaseState state, int status, const char* words, const char* gauge) {
    operations_.exchange_database(state);
    const OperationsAnswer answer = ask("/readyz");
    EXPECT_EQ(answer.status, status);
    EXPECT_THAT(answer.body, HasSubstr(words));
    EXPECT_THAT(ask("/metrics").body, HasSubstr(gauge));
  };
  expect(DatabaseState::kOk, 200, R"("status":"ready","database":"ok")", "rotator_database_writable 1");
  expect(DatabaseState::kNotWritable, 200, R"("status":"degraded","database":"read_only")",
         "rotator_database_writable 0");
  expect(DatabaseState::kAway, 200, R"("status":"degraded","database":"away")", "rotator_database_writable 0");
  expect(DatabaseState::kLost, 503, R"("status":"database_lost","database":"lost")", "rotator_database_writable 0");
  operations_.set_draining();
  EXPECT_THAT(ask("/readyz").body, HasSubstr("draining"));
}

}  // namespace
}  // namespace akr
