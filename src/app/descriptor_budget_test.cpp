#include "app/descriptor_budget.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(DescriptorBudget, WhatIsAllowedFitsAndOneMoreDoesNot) {
  for (std::size_t limit : {256UL, 1024UL, 4096UL, 20'000UL, 1'048'576UL}) {
    for (std::size_t workers : {1UL, 2UL, 4UL}) {
      const std::size_t allowed = connections_within(limit, workers, 16);
      EXPECT_LE(descriptors_for(allowed, workers, 16), limit);
      EXPECT_GT(descriptors_for(allowed + 2, workers, 16), limit);
    }
  }
}

TEST(DescriptorBudget, TheDefaultsFitIntoACommonLimit) {
  EXPECT_GE(connections_within(65'536, 64, 16), 10'000U);
  EXPECT_LT(connections_within(1024, 2, 16), 500U);
}

TEST(DescriptorBudget, OneConnectionIsAlwaysAllowed) {
  EXPECT_EQ(connections_within(0, 4, 16), 1U);
  EXPECT_EQ(connections_within(100, 64, 16), 1U);
}

}  // namespace
}  // namespace akr
