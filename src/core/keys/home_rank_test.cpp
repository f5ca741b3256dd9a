// Numbers that are stored and shared between machines, so that they never change; and what rendezvous hashing promises.
#include "core/keys/home_rank.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(StableHash, IsTheSameEverywhere) {
  EXPECT_EQ(stable_hash(""), 0xc3817c016ba4ff30ULL);
  EXPECT_EQ(stable_hash("org-1"), 0x980cd980d838bb4aULL);
  EXPECT_NE(stable_hash("org-1"), stable_hash("org-2"));
}

std::int64_t home_of(std::uint64_t who, const std::vector<std::int64_t>& keys) {
  std::int64_t best = 0;
  HomeRank best_rank;
  for (const std::int64_t key : keys) {
    const HomeRank rank = home_rank(who, 0, KeyId{key});
    if (rank > best_rank) best = key;
    best_rank = std::max(best_rank, rank);
  }
  return best;
}

TEST(HomeRank, SharesAccessKeysOutEvenlyAndMovesOnlyThoseWhoseHomeIsGone) {
  const std::vector<std::int64_t> keys = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  std::vector<std::int64_t> without = keys;
  without.erase(without.begin() + 3);
  std::map<std::int64_t, int> homes;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t who = stable_hash("access-key-" + std::to_string(i));
    const std::int64_t home = home_of(who, keys);
    ++homes[home];
    if (home != 4) ASSERT_EQ(home_of(who, without), home);
  }
  for (const auto& [key, count] : homes) EXPECT_NEAR(count, 1000, 150) << key;
}

// In order of rank, the keys of an account come together, and each access key has its own first among them.
TEST(HomeRank, KeepsAccountsTogether) {
  const auto account_of = [](std::int64_t key) { return stable_hash(key % 2 == 0 ? "even" : "odd"); };
  std::set<std::int64_t> firsts;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t who = stable_hash(std::to_string(i));
    std::map<HomeRank, std::int64_t> order;
    for (std::int64_t key = 1; key <= 10; ++key) order.emplace(home_rank(who, account_of(key), KeyId{key}), key);
    std::vector<std::int64_t> sorted;
    for (const auto& [rank, key] : order) sorted.push_back(key % 2);
    for (std::size_t at = 1; at < sorted.size(); ++at) {
      EXPECT_EQ(sorted[at] == sorted[at - 1], at != 5) << i;
    }
    firsts.insert(order.rbegin()->second);
  }
  EXPECT_EQ(firsts.size(), 10U);
}

}  // namespace
}  // namespace akr
