#include "core/keys/selection/slot_set.hpp"

#include <set>

#include <gtest/gtest.h>

#include "core/keys/selection/random_source.hpp"

namespace akr {
namespace {

// Against std::set, over sizes that have one to four levels.
TEST(SlotSetTest, AgreesWithAnOrdinarySet) {
  for (const std::uint32_t size : {1U, 63U, 64U, 65U, 4096U, 4097U, 300'000U}) {
    SlotSet set;
    set.resize(size);
    std::set<std::uint32_t> expected;
    Random random(size);
    for (int step = 0; step < 5000; ++step) {
      const std::uint32_t slot = random.below(size);
      if (expected.contains(slot)) {
        set.erase(slot);
        expected.erase(slot);
      } else {
        set.insert(slot);
        expected.insert(slot);
      }
      const std::uint32_t from = random.below(size);
      const auto it = expected.lower_bound(from);
      const auto found = set.next(from);
      ASSERT_EQ(found.has_value(), it != expected.end());
      if (found) ASSERT_EQ(*found, *it);
      ASSERT_EQ(set.next_cyclic(from).has_value(), !expected.empty());
      if (!found && !expected.empty()) ASSERT_EQ(*set.next_cyclic(from), *expected.begin());
    }
  }
}

TEST(SlotSetTest, PastTheEndThereIsNothing) {
  SlotSet set;
  set.resize(64);
  set.insert(63);
  EXPECT_FALSE(set.next(64));
  EXPECT_EQ(set.next_cyclic(64), 63U);
  set.resize(0);
  EXPECT_FALSE(set.next(0));
}

}  // namespace
}  // namespace akr
