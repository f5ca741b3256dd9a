// Every policy of the registry runs the common suite; what only one of them promises follows below.
#include "core/keys/selection/selection_policy.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/keys/selection/latency.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {
namespace {

// A policy with its keys, kept as KeyPool keeps them.
struct Bench {
  explicit Bench(std::string_view id, std::uint32_t slots, std::uint64_t seed = 3)
      : policy(find_selection_policy(id)->make(seed)), random(seed) {
    policy->resize(slots);
  }
  void enter(std::uint32_t slot, std::uint32_t weight = 1) {
    usable.push_back({.slot = slot, .weight = weight});
    policy->entered(usable.back());
  }
  void leave(std::uint32_t slot) {
    const auto it = find(slot);
    policy->left(*it);
    *it = usable.back();
    usable.pop_back();
  }
  std::vector<KeyView>::iterator find(std::uint32_t slot) {
    return std::find_if(usable.begin(), usable.end(), [slot](const KeyView& key) { return key.slot == slot; });
  }
  std::uint32_t pick() {
    const std::uint32_t slot = policy->pick(usable, random);
    const auto it = find(slot);
    if (it != usable.end()) ++it->turns;
    return slot;
  }
  std::unique_ptr<SelectionPolicy> policy;
  Random random;
  std::vector<KeyView> usable;
};

class EveryPolicy : public testing::TestWithParam<PolicyEntry> {};

TEST_P(EveryPolicy, PicksOneOfTheUsableKeysWhateverComesAndGoes) {
  Bench bench(GetParam().id, 300);
  Random random(11);
  std::set<std::uint32_t> usable;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t slot = random.below(300);
    if (usable.contains(slot)) {
      bench.leave(slot);
      usable.erase(slot);
    } else {
      bench.enter(slot, 1 + slot % 5);
      usable.insert(slot);
    }
    if (!usable.empty()) ASSERT_TRUE(usable.contains(bench.pick()));
  }
}

// Above kWorthForesight a policy looks ahead: keys that it has foreseen go, and others come.
TEST_P(EveryPolicy, OfALargePoolPicksOneOfTheUsableKeysWhateverComesAndGoes) {
  constexpr std::uint32_t kSlots = 2 * kWorthForesight;
  Bench bench(GetParam().id, kSlots);
  std::set<std::uint32_t> usable;
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    bench.enter(slot, 1 + slot % 5);
    usable.insert(slot);
  }
  const auto turn = [&](std::uint32_t slot) {
    if (slot >= kSlots) return;
    if (usable.erase(slot) > 0) return bench.leave(slot);
    bench.enter(slot, 1 + slot % 5);
    usable.insert(slot);
  };
  Random random(11);
  for (int step = 0; step < 4000; ++step) {
    turn(random.below(kSlots));
    if (step % 3 == 0) turn(bench.policy->foresight()[random.below(kTurnsAhead)]);
    ASSERT_TRUE(usable.contains(bench.pick()));
  }
}

TEST_P(EveryPolicy, ReachesAllKeysWhenThePickedOnesDropOut) {
  Bench bench(GetParam().id, 500);
  for (std::uint32_t slot = 0; slot < 500; ++slot) bench.enter(slot, 1 + slot % 3);
  std::set<std::uint32_t> reached;
  while (!bench.usable.empty()) {
    const std::uint32_t slot = bench.pick();
    reached.insert(slot);
    bench.leave(slot);
  }
  EXPECT_EQ(reached.size(), 500U);
}

TEST_P(EveryPolicy, WorksWithOneKey) {
  Bench bench(GetParam().id, 1);
  bench.enter(0);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(bench.pick(), 0U);
}

TEST_P(EveryPolicy, StartsAnewAfterAResize) {
  Bench bench(GetParam().id, 4);
  for (std::uint32_t slot = 0; slot < 4; ++slot) bench.enter(slot);
  bench.pick();
  bench.usable.clear();
  bench.policy->resize(2);
  bench.enter(1);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(bench.pick(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryPolicy,
                         testing::ValuesIn(selection_policies().begin(), selection_policies().end()),
                         [](const auto& each) { return std::string(each.param.id); });

TEST(RegistryTest, NamesAreUniqueAndUnknownOnesAreNotGuessed) {
  std::set<std::string_view> ids;
  for (const PolicyEntry& each : selection_policies()) EXPECT_TRUE(ids.insert(each.id).second);
  EXPECT_EQ(find_selection_policy("round-robin"), nullptr);
  EXPECT_EQ(find_selection_policy(""), nullptr);
}

// Looking ahead must change no choice: the same keys in a table that is too small for it are the measure.
TEST(ForesightTest, IsTakenBackWhenTheKeysChange) {
  for (const std::string_view id : {"round_robin", "weighted"}) {
    Bench plain(id, kWorthForesight - 1);
    Bench ahead(id, 2 * kWorthForesight);
    Random random(23);
    std::set<std::uint32_t> usable;
    for (int step = 0; step < 30'000; ++step) {
      if (random.below(4) == 0 || usable.empty()) {
        const std::uint32_t slot = random.below(100);
        const bool leaves = usable.erase(slot) > 0;
        if (!leaves) usable.insert(slot);
        for (Bench* each : {&plain, &ahead}) leaves ? each->leave(slot) : each->enter(slot, 1 + slot % 4);
        continue;
      }
      ASSERT_EQ(plain.pick(), ahead.pick()) << id << " step " << step;
    }
  }
}

TEST(ForesightTest, ComesTrueWhileTheKeysStay) {
  for (const std::string_view id : {"round_robin", "weighted", "random", "sticky"}) {
    Bench bench(id, 2 * kWorthForesight);
    for (std::uint32_t slot = 0; slot < 2 * kWorthForesight; ++slot) bench.enter(slot, 1 + slot % 3);
    for (std::uint32_t i = 0; i < kTurnsAhead; ++i) bench.pick();
    for (int i = 0; i < 100; ++i) {
      const Foresight foreseen = bench.policy->foresight();
      for (const std::uint32_t slot : foreseen) ASSERT_EQ(bench.pick(), slot) << id;
    }
  }
}

// Scenario 26.
TEST(WeightedTest, SharesAreExactAndSmooth) {
  Bench bench("weighted", 2);
  bench.enter(0, 3);
  bench.enter(1, 1);
  std::map<std::uint32_t, int> hits;
  int in_a_row = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::uint32_t slot = bench.pick();
    ++hits[slot];
    in_a_row = slot == 0 ? in_a_row + 1 : 0;
    ASSERT_LE(in_a_row, 3);
  }
  EXPECT_NEAR(hits[0], 3000, 1);
  EXPECT_NEAR(hits[1], 1000, 1);
}

TEST(WeightedTest, ClassesShareByWeightTimesKeys) {
  Bench bench("weighted", 10);
  for (std::uint32_t slot = 0; slot < 9; ++slot) bench.enter(slot, 2);
  bench.enter(9, 6);
  std::map<std::uint32_t, int> hits;
  for (int i = 0; i < 24'000; ++i) ++hits[bench.pick()];
  for (std::uint32_t slot = 0; slot < 9; ++slot) EXPECT_NEAR(hits[slot], 2000, 1);
  EXPECT_NEAR(hits[9], 6000, 1);
}

TEST(WeightedTest, AClassThatWasAwayIsNotFlooded) {
  Bench bench("weighted", 2);
  bench.enter(0, 1);
  for (int i = 0; i < 1000; ++i) bench.pick();
  bench.enter(1, 2);
  int hits = 0;
  for (int i = 0; i < 300; ++i) hits += bench.pick() == 1;
  EXPECT_NEAR(hits, 200, 2);
}

TEST(FillFirstTest, UsesTheFirstUsableKeyInTheOperatorsOrder) {
  Bench bench("fill_first", 5);
  for (const std::uint32_t slot : {4U, 1U, 3U}) bench.enter(slot);
  EXPECT_EQ(bench.pick(), 1U);
  bench.leave(1);
  EXPECT_EQ(bench.pick(), 3U);
  bench.enter(0);
  EXPECT_EQ(bench.pick(), 0U);
}

TEST(LeastUsedTest, LevelsASmallPoolExactlyAndALargeOneNearly) {
  for (const std::uint32_t count : {10U, 200U}) {
    Bench bench("least_used", count);
    for (std::uint32_t slot = 0; slot < count; ++slot) bench.enter(slot);
    for (std::uint32_t i = 0; i < count * 100; ++i) bench.pick();
    for (const KeyView& key : bench.usable) EXPECT_NEAR(static_cast<double>(key.turns), 100, count == 10 ? 0.1 : 5);
  }
}

TEST(LeastInFlightTest, PrefersTheIdleKey) {
  Bench bench("least_in_flight", 3);
  for (std::uint32_t slot = 0; slot < 3; ++slot) bench.enter(slot);
  bench.find(0)->in_flight = 2;
  bench.find(1)->in_flight = 1;
  bench.find(2)->in_flight = 3;
  for (int i = 0; i < 20; ++i) ASSERT_EQ(bench.pick(), 1U);
}

TEST(LatencyTest, PrefersTheFasterKeyAndMeasuresUnknownOnes) {
  Bench bench("latency", 3);
  for (std::uint32_t slot = 0; slot < 3; ++slot) bench.enter(slot);
  bench.find(0)->latency_ms = 10;
  bench.find(1)->latency_ms = 1000;
  bench.find(2)->latency_ms = 20;
  std::map<std::uint32_t, int> hits;
  for (int i = 0; i < 3000; ++i) ++hits[bench.pick()];
  EXPECT_NEAR(hits[0], 2000, 150);  // wins both of its pairs
  EXPECT_NEAR(hits[1], 30, 30);     // only so that it is measured again
  bench.find(1)->latency_ms = 0;
  EXPECT_NEAR(
      [&] {
        int n = 0;
        for (int i = 0; i < 3000; ++i) n += bench.pick() == 1;
        return n;
      }(),
      2000, 150);
}

TEST(LatencyTest, PeakEwmaJumpsUpAndComesDownSlowly) {
  EXPECT_FLOAT_EQ(peak_ewma(100, 900, 1), 900);
  const float later = peak_ewma(900, 100, 1);
  EXPECT_GT(later, 800);
  EXPECT_LT(later, 900);
  EXPECT_LT(peak_ewma(900, 100, 60), 110);
}

TEST(RandomChoiceTest, IsRoughlyEven) {
  Bench bench("random", 10);
  for (std::uint32_t slot = 0; slot < 10; ++slot) bench.enter(slot);
  for (int i = 0; i < 10'000; ++i) bench.pick();
  for (const KeyView& key : bench.usable) EXPECT_NEAR(static_cast<double>(key.turns), 1000, 150);
}

}  // namespace
}  // namespace akr
