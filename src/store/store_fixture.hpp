// store_fixture.hpp - for the contracts of the stores: a database that every test may close and open again.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "store/database.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {

// struct SqliteHarness { std::unique_ptr<Database> open(const Clock&); };     // each open(): the same database again
template <class Harness>
class StoreFixture : public testing::Test {
 protected:
  void SetUp() override { reopen(); }
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
