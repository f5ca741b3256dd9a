#include "net/loop/budget.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace akr::net {
namespace {

TEST(Budget, SharesComeBackByThemselves) {
  Budget budget(100);
  {
    BudgetShare first(&budget);
    BudgetShare second(&budget);
    EXPECT_TRUE(first.grow_to(60));
    EXPECT_TRUE(first.grow_to(50));  // it is that large
    EXPECT_FALSE(second.grow_to(41));
    EXPECT_EQ(second.held(), 0U);
    EXPECT_TRUE(second.grow_to(40));
    EXPECT_EQ(budget.used(), 100U);
    BudgetShare moved = std::move(first);
    EXPECT_EQ(moved.held(), 60U);
    second = std::move(moved);
    EXPECT_EQ(budget.used(), 60U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(Budget, WithoutOneEverythingIsGranted) {
  BudgetShare share;
  EXPECT_TRUE(share.grow_to(1ULL << 60));
  share.release();
  EXPECT_EQ(share.held(), 0U);
}

}  // namespace
}  // namespace akr::net
