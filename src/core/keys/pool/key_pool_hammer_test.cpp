// Threads select, report, fail, edit and reset at the same time; limits hold and every slot comes back.  Run it under
// ThreadSanitizer.
#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/selection/random_source.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {
namespace {

using namespace pool_test;

class Hammer {
 public:
  static constexpr int kClients = 6;
  static constexpr int kAttempts = 1500;  // each
  static constexpr int kAtOnce = 3;

  Hammer(std::shared_ptr<KeyPool> pool, std::vector<UpstreamKey> keys)
      : pool_(std::move(pool)), keys_(std::move(keys)), in_flight_(keys_.size() + 1) {}

  void run() {
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kClients; ++t) threads.emplace_back([this, t] { ask(Random(t)); });
    threads.emplace_back([this] { operate(); });
    for (std::thread& thread : threads) thread.join();
  }
  bool exceeded() const { return exceeded_; }

 private:
  TimePoint at(Duration passed) { return kStart + Duration(clock_.fetch_add(passed.count())); }

  void ask(Random dice) {
    for (int served = 0; served < kAttempts;) {
      const TimePoint now = at(1ms);
      auto lease =
          pool_->select({.model = dice.below(2) == 0 ? "m" : "", .affinity = dice.below(30), .tokens = 5}, now);
      if (!lease) {
        at(50ms);  // till somebody may be asked again
        continue;
      }
      ++served;
      std::atomic<int>& count = in_flight_[static_cast<std::size_t>(lease->key().id.value)];
      if (count.fetch_add(1) >= kAtOnce) exceeded_ = true;
      if (dice.below(4) == 0) std::this_thread::yield();
      judge(*lease, dice.below(60), now);
      count.fetch_sub(1);
    }
    --clients_;
  }
  static void judge(KeyLease& lease, std::uint32_t fate, TimePoint now) {
    if (fate == 0) lease.report(cool_for(1500ms, Scope::kKeyModel), now);
    if (fate == 1) lease.report(forbidden(), now);
    if (fate == 2) lease.report(refused(), now);
    if (fate == 3) lease.report(exhaust_for(2s), now);
    if (fate == 4) lease.observe_remaining(0, 2s, now);
    if (fate == 5) lease.count_tokens(50, now);
    if (fate < 8) lease.note_failure(500, "broken");
    if (fate >= 8) lease.report(good(), now);
    lease.observe_latency(1ms, now);
  }
  void operate() {
    while (clients_ > 0) {
      std::rotate(keys_.begin(), keys_.begin() + 1, keys_.end());
      pool_->replace_keys(keys_);
      const TimePoint now = at(0ms);
      pool_->reset_all(now);
      pool_->counts(now);
      pool_->status(KeyId{4}, now);
      pool_->due_for_validation(3, now);
      pool_->import_states(pool_->export_states(now, WallTime{}), now, WallTime{});
      std::this_thread::sleep_for(200us);
    }
  }

  const std::shared_ptr<KeyPool> pool_;
  std::vector<UpstreamKey> keys_;  // of operate()
  std::vector<std::atomic<int>> in_flight_;
  std::atomic<bool> exceeded_ = false;
  std::atomic<int> clients_ = kClients;
  std::atomic<Duration::rep> clock_ = 0;
};

class HammeredPool : public testing::TestWithParam<PolicyEntry> {};

TEST_P(HammeredPool, KeepsItsLimitsAndGetsEverySlotBack) {
  auto all = make_keys(20);
  for (UpstreamKey& key : all) {
    key.limits = {.tpm = 100'000, .max_concurrency = Hammer::kAtOnce};
    if (key.id.value % 4 == 0) key.group = "g";
    key.priority = key.id.value % 5 == 0 ? 1 : 0;
  }
  for (const bool guard : {false, true}) {
    auto pool = make_pool(all, {.policy = std::string(GetParam().id), .outage_guard = guard});
    Hammer hammer(pool, all);
    hammer.run();
    EXPECT_FALSE(hammer.exceeded());
    EXPECT_EQ(pool->counts(kStart + 1000h).in_flight, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, HammeredPool,
                         testing::ValuesIn(selection_policies().begin(), selection_policies().end()),
                         [](const auto& each) { return std::string(each.param.id); });

}  // namespace
}  // namespace akr
