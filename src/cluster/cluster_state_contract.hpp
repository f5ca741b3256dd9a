// cluster_state_contract.hpp - what every ClusterState promises, as tests.  Included by the test of each
// implementation:
//
//   struct LocalHarness { ClusterState& node(); };     // the node under test
//   INSTANTIATE_TYPED_TEST_SUITE_P(Local, ClusterStateContract, LocalHarness);
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/cluster_state.hpp"

namespace akr {

template <class Harness>
class ClusterStateContract : public testing::Test {
 protected:
  // Before the harness: callbacks outlive the node.
  std::atomic<int> announced_ = 0;
  Harness harness_;
};

TYPED_TEST_SUITE_P(ClusterStateContract);

TYPED_TEST_P(ClusterStateContract, CountsEachPoolFromZero) {
  ClusterState& node = this->harness_.node();
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(node.next(ServiceId{1}), i);
  EXPECT_EQ(node.next(ServiceId{2}), 0U);
  EXPECT_EQ(node.next(ServiceId{1}), 3U);
}

TYPED_TEST_P(ClusterStateContract, GivesEachNumberOnce) {
  constexpr int kThreads = 8, kEach = 2000;
  std::vector<std::vector<std::uint64_t>> taken(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : taken) {
    threads.emplace_back([this, &mine] {
      for (int i = 0; i < kEach; ++i) mine.push_back(this->harness_.node().next(ServiceId{1}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::uint64_t> all;
  for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], i);
}

TYPED_TEST_P(ClusterStateContract, OwnMessagesDoNotComeBack) {
  ClusterState& node = this->harness_.node();
  node.on_announce([this] { ++this->announced_; });
  node.announce();
  node.share_cooldown(KeyId{1}, TimePoint(std::chrono::seconds(1)));
  EXPECT_EQ(this->announced_, 0);
}

REGISTER_TYPED_TEST_SUITE_P(ClusterStateContract, CountsEachPoolFromZero, GivesEachNumberOnce,
                            OwnMessagesDoNotComeBack);

}  // namespace akr
