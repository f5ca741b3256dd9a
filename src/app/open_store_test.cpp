#include "app/open_store.hpp"

#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/build_name.hpp"
#include "app/exit_status.hpp"
#include "config/load.hpp"
#include "store/open.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using Opened = Result<std::unique_ptr<Database>>;

const Error kAway{ErrorCode::kStoreUnavailable, "MySQL at db:3306 refuses connections"};

// Fails as often as it is told; then there is a database, which nobody looks at.
struct Server {
  int failures = 0;
  Error error = kAway;
  std::atomic<int> tries = 0;

  std::function<Opened()> opener() {
    return [this]() -> Opened {
      if (++tries <= failures) return error;
      return std::unique_ptr<Database>();
    };
  }
};

bool sleep_on(std::chrono::milliseconds patience) {
  std::this_thread::sleep_for(patience);
  return false;
}

TEST(AwaitDatabase, AServerThatComesLateIsUsed) {
  Server server{.failures = 3};
  int told = 0;
  EXPECT_TRUE(await_database({server.opener(), sleep_on, 60s, [&told](const Error&) { ++told; }}));
  EXPECT_EQ(server.tries, 4);
  EXPECT_EQ(told, 1) << "at first, and then every 10 s";
}

TEST(AwaitDatabase, TheWaitHasAnEnd) {
  Server server{.failures = 1000};
  const auto began = std::chrono::steady_clock::now();
  const auto opened = await_database({server.opener(), sleep_on, 500ms, [](const Error&) {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, kAway.message);
  EXPECT_GE(server.tries, 2);  // at 0, 200 and 500 ms, on a machine with nothing else to do
  EXPECT_GE(std::chrono::steady_clock::now() - began, 500ms);
}

TEST(AwaitDatabase, NoWaitMeansOneTry) {
  Server server{.failures = 1000};
  EXPECT_FALSE(await_database({server.opener(), sleep_on, 0ms, [](const Error&) { FAIL(); }}));
  EXPECT_EQ(server.tries, 1);
}

TEST(AwaitDatabase, WhatOnlyAPersonMendsIsToldAtOnce) {
  for (ErrorCode code : {ErrorCode::kStoreRefused, ErrorCode::kUnsupported, ErrorCode::kLocked, ErrorCode::kInvalid}) {
    Server server{.failures = 1000, .error = {code, "no"}};
    const auto opened = await_database({server.opener(), sleep_on, 60s, [](const Error&) { FAIL(); }});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code);
    EXPECT_EQ(server.tries, 1);
  }
}

TEST(AwaitDatabase, BeingAskedToStopEndsAPause) {
  Server server{.failures = 1000};
  const auto stop_in_pause = [](std::chrono::milliseconds patience) { return patience > 0ms; };
  const auto opened = await_database({server.opener(), stop_in_pause, 60s, [](const Error&) {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kShuttingDown);
  EXPECT_EQ(exit_status(opened.error()), 0);
  EXPECT_EQ(server.tries, 1);
}

// A machine that answers nothing holds a try for as long as DB_TIMEOUT.
TEST(AwaitDatabase, BeingAskedToStopDoesNotWaitForATry) {
  auto released = std::make_shared<std::promise<void>>();
  const auto hang = [released]() -> Opened {
    released->get_future().wait();
    return kAway;
  };
  const auto stop_now = [](std::chrono::milliseconds) { return true; };
  const auto opened = await_database({hang, stop_now, 60s, [](const Error&) {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kShuttingDown);
  released->set_value();
}

std::unique_ptr<Settings> settings_of(Environment environment) {
  environment["GLOBAL_PROXY_KEYS"] = "an-access-key-0001";
  return load_settings(environment, "").value();
}

TEST(BlameSetting, TheSettingStandsInFront) {
  const auto url = settings_of({{"DATABASE_URL", "mysql://u:canary@db/keys"}});
  const auto parts = settings_of({{"DB_TYPE", "postgresql"}, {"DB_HOST", "db"}});
  const Error refused{ErrorCode::kStoreRefused, "PostgreSQL at db:5432 refuses the password of user \"u\"", "password"};
  EXPECT_EQ(blame_setting(*url, refused).message, "DATABASE_URL: " + refused.message);
  EXPECT_EQ(blame_setting(*parts, refused).message, "DB_PASSWORD: " + refused.message);
  EXPECT_EQ(blame_setting(*parts, kAway).message, "DB_TYPE, DB_HOST: " + kAway.message);
}

TEST(BlameSetting, AServerThatIsAwayHasAnExitStatusOfItsOwn) {
  const auto server = settings_of({{"DB_TYPE", "mysql"}});
  const auto file = settings_of({});
  EXPECT_EQ(exit_status(blame_setting(*server, kAway)), 75);
  EXPECT_EQ(exit_status(blame_setting(*file, kAway)), 73);
  EXPECT_EQ(blame_setting(*file, kAway).message, kAway.message);
  for (ErrorCode code : {ErrorCode::kStoreRefused, ErrorCode::kUnsupported, ErrorCode::kLocked, ErrorCode::kInvalid,
                         ErrorCode::kConflict}) {
    EXPECT_EQ(exit_status(blame_setting(*server, {code, "x"})), 78);
  }
}

TEST(CheckBuiltIn, SqliteAlwaysIs) { EXPECT_TRUE(check_built_in(*settings_of({}))); }

// Whichever databases a build has: what it lacks is said with the setting that asked for it, never replaced.
TEST(CheckBuiltIn, WhatIsLackingIsNamedWithItsSetting) {
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    const auto checked = check_built_in(*settings_of({{"DB_TYPE", std::string(row.words.front())}}));
    EXPECT_EQ(checked.has_value(), is_built_in(row.kind)) << row.title;
    if (checked) continue;
    EXPECT_EQ(checked.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(checked.error().message, HasSubstr("DB_TYPE: " + not_in_this_build(row.kind) + "; use that one, or"));
  }
}

}  // namespace
}  // namespace akr
