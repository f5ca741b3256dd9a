// store_fixture.hpp - for the contracts of the stores: a database that every test may close and open again.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/database.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {

// struct SqliteHarness { std::unique_ptr<Database> open(const Clock&); };     // each open(): the same database again
//
// A harness that needs a server has `static std::string missing()` too: the package that is not installed, or "".
template <class Harness>
class StoreFixture : public testing::Test {
 protected:
  void SetUp() override {
    if constexpr (requires { Harness::missing(); }) {
      if (const std::string package = Harness::missing(); !package.empty()) GTEST_SKIP() << package << " is missing";
    }
    reopen();
  }
  void reopen() {
    database_.reset();
    database_ = harness_.open(clock_);
    ASSERT_TRUE(database_);
  }

  Harness harness_;
  ManualClock clock_;
  std::unique_ptr<Database> database_;
};

}  // namespace akr
