#include "core/keys/pool/affinity_map.hpp"

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"

namespace akr {
namespace {

using namespace pool_test;

AffinityMap::Place at(std::int64_t key) { return {.key = KeyId{key}, .slot = 3}; }

TEST(AffinityMapTest, ForgetsAfterFiveMinutesWithoutUse) {
  AffinityMap map;
  map.pin(1, at(7), kStart);
  EXPECT_EQ(map.find(1, kStart + 299s), at(7));
  EXPECT_FALSE(map.find(1, kStart + 300s)) << "looking is no use";
  map.touch(1, kStart + 299s);
  map.touch(2, kStart + 299s);
  EXPECT_EQ(map.find(1, kStart + 598s), at(7));
  EXPECT_FALSE(map.find(1, kStart + 898s));
  EXPECT_FALSE(map.find(2, kStart));
}

TEST(AffinityMapTest, KeepsTheMostRecentlyUsed) {
  AffinityMap map;
  for (std::uint64_t i = 0; i < AffinityMap::kMost; ++i) map.pin(i, at(1), kStart);
  map.touch(0, kStart);
  for (std::uint64_t i = 0; i < 1000; ++i) map.pin(1'000'000 + i, at(2), kStart);
  EXPECT_EQ(map.size(), AffinityMap::kMost);
  EXPECT_TRUE(map.find(0, kStart));
  EXPECT_FALSE(map.find(1, kStart));
  EXPECT_TRUE(map.find(2000, kStart));
  EXPECT_EQ(map.find(1'000'999, kStart), at(2));
}

struct StickyTest : testing::Test {
  std::shared_ptr<KeyPool> pool = make_pool(make_keys(5), {.policy = "sticky"});
  std::int64_t turn(std::uint64_t conversation, TimePoint now = kStart) {
    auto lease = pool->select({.affinity = conversation}, now);
    if (!lease) return 0;
    lease->report(good(), now);
    return lease->key().id.value;
  }
};

// Scenario 35: the hash contains the client, so two clients are two conversations.
TEST_F(StickyTest, ConversationsKeepTheirKeyIndependently) {
  const std::int64_t first = turn(1);
  const std::int64_t second = turn(2);
  EXPECT_NE(first, second);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(turn(1), first);
    ASSERT_EQ(turn(2), second);
    pick(*pool, kStart);
  }
}

// Scenario 34.
TEST_F(StickyTest, AnUnusableKeyIsReplacedAndTheNewOnePinned) {
  auto keys = make_keys(5);
  const std::int64_t first = turn(1);
  keys[static_cast<std::size_t>(first - 1)].enabled = false;
  pool->replace_keys(keys);
  const std::int64_t second = turn(1);
  ASSERT_NE(second, 0);
  EXPECT_NE(second, first);
  keys[static_cast<std::size_t>(first - 1)].enabled = true;
  pool->replace_keys(keys);
  EXPECT_EQ(turn(1), second);
}

TEST_F(StickyTest, AFailedAttemptDoesNotMoveThePin) {
  const std::int64_t first = turn(1);
  const KeyId tried[] = {KeyId{first}};
  {
    auto lease = pool->select({.tried = tried, .affinity = 1}, kStart);
    ASSERT_TRUE(lease);
    lease->report(Verdict{.endpoint = EndpointEffect::kFail}, kStart);
  }
  EXPECT_EQ(turn(1), first);
}

TEST_F(StickyTest, WithoutAffinityItIsRoundRobin) {
  std::vector<int> hits(6);
  for (int i = 0; i < 500; ++i) ++hits[static_cast<std::size_t>(turn(0))];
  for (std::size_t id = 1; id <= 5; ++id) EXPECT_EQ(hits[id], 100);
}

TEST_F(StickyTest, TraceSaysThatAffinityDecided) {
  turn(1);
  SelectTrace trace;
  ASSERT_TRUE(pool->select({.affinity = 1, .trace = &trace}, kStart));
  EXPECT_TRUE(trace.affinity);
}

}  // namespace
}  // namespace akr
