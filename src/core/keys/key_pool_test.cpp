#include "core/keys/key_pool.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {
namespace {

using namespace pool_test;

std::map<std::int64_t, int> spread(KeyPool& pool, int requests) {
  std::map<std::int64_t, int> hits;
  for (int i = 0; i < requests; ++i) ++hits[pick(pool, kStart)];
  return hits;
}

// Scenario 23: each of 10 keys gets 1,000 +- 1 of 10,000 requests, whatever the number of threads.
TEST(KeyPoolTest, RoundRobinIsExactlyFairAtAnyConcurrency) {
  for (const int threads : {1, 8, 64}) {
    auto pool = make_pool(make_keys(10));
    std::vector<std::atomic<int>> hits(11);
    std::atomic<int> left = 10'000;
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        while (left.fetch_sub(1) > 0) {
          auto lease = pool->select({}, kStart);
          ASSERT_TRUE(lease);
          ++hits[static_cast<std::size_t>(lease->key().id.value)];
          lease->report(good(), kStart);
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    for (std::size_t id = 1; id <= 10; ++id) EXPECT_NEAR(hits[id], 1000, 1) << threads << " threads, key " << id;
    EXPECT_EQ(pool->counts(kStart).in_flight, 0U);
  }
}

TEST(KeyPoolTest, TwoPoolsInterleavedStayFairEach) {
  auto a = make_pool(make_keys(3));
  auto b = make_pool(make_keys(5));
  std::map<std::int64_t, int> hits_a;
  std::map<std::int64_t, int> hits_b;
  for (int i = 0; i < 3000; ++i) {
    ++hits_a[pick(*a, kStart)];
    ++hits_b[pick(*b, kStart)];
  }
  for (const auto& [id, hits] : hits_a) EXPECT_EQ(hits, 1000) << id;
  for (const auto& [id, hits] : hits_b) EXPECT_EQ(hits, 600) << id;
}

// Scenario 24.
TEST(KeyPoolTest, RestartsDoNotFavourTheFirstKey) {
  int first = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto pool = make_pool(make_keys(10), {}, seed);
    first += pick(*pool, kStart) == 1;
  }
  EXPECT_LE(first, 20);
}

// Scenario 25.
TEST(KeyPoolTest, ShareOfASkippedKeySpreadsEvenly) {
  auto pool = make_pool(make_keys(10));
  take(*pool, 3, 10, kStart)->report(cool(), kStart);
  const auto hits = spread(*pool, 9000);
  EXPECT_EQ(hits.size(), 9U);
  for (const auto& [id, count] : hits) EXPECT_NEAR(count, 1000, 1) << id;
}

TEST(KeyPoolTest, DisabledUnreadableAndDrainedKeysAreNeverChosen) {
  auto keys = make_keys(5);
  keys[0].enabled = false;
  keys[1].readable = false;
  keys[2].weight = 0;
  for (const PolicyEntry& policy : selection_policies()) {
    auto pool = make_pool(keys, {.policy = std::string(policy.id)});
    const auto hits = spread(*pool, 1000);
    EXPECT_FALSE(hits.contains(1) || hits.contains(2) || hits.contains(3) || hits.contains(0)) << policy.id;
    EXPECT_EQ(pool->counts(kStart).disabled, 3U);
  }
}

// Scenario 28: keys of earlier attempts are never used again.
TEST(KeyPoolTest, TriedKeysAreNeverChosen) {
  for (const PolicyEntry& policy : selection_policies()) {
    auto pool = make_pool(make_keys(4), {.policy = std::string(policy.id)});
    for (int i = 0; i < 200; ++i) {
      std::vector<KeyId> tried;
      while (auto lease = pool->select({.tried = tried}, kStart)) {
        ASSERT_EQ(std::count(tried.begin(), tried.end(), lease->key().id), 0);
        tried.push_back(lease->key().id);
      }
      ASSERT_EQ(tried.size(), 4U);
    }
  }
}

TEST(KeyPoolTest, RetriesTakeTurnsLikeFirstAttempts) {
  auto pool = make_pool(make_keys(10));
  std::map<std::int64_t, int> attempts;
  for (int i = 0; i < 10'000; ++i) {
    auto lease = pool->select({}, kStart);
    ++attempts[lease->key().id.value];
    if (i % 4 != 0) continue;
    const KeyId tried[] = {lease->key().id};
    ++attempts[pick(*pool, kStart, {.tried = tried})];
  }
  for (const auto& [id, count] : attempts) EXPECT_NEAR(count, 1250, 1) << id;
}

// Scenario 27.
TEST(KeyPoolTest, LowerPriorityIsUsedOnlyWhileTheBetterTierIsOut) {
  auto keys = make_keys(4);
  keys[2].priority = keys[3].priority = 1;
  auto pool = make_pool(keys);
  EXPECT_LE(pick(*pool, kStart), 2);
  take(*pool, 1, 4, kStart)->report(cool_for(10s), kStart);
  take(*pool, 2, 4, kStart)->report(cool_for(10s), kStart);
  EXPECT_GE(pick(*pool, kStart + 9s), 3);
  EXPECT_LE(pick(*pool, kStart + 10s), 2);
}

// Scenario 20: the answers for "nothing usable" are never confused.
TEST(KeyPoolTest, NothingUsableSaysWhy) {
  EXPECT_EQ(make_pool({})->select({}, kStart).error().code, ErrorCode::kNoKeysConfigured);
  auto disabled = make_keys(2);
  disabled[0].enabled = disabled[1].enabled = false;
  EXPECT_EQ(make_pool(disabled)->select({}, kStart).error().code, ErrorCode::kNoKeysConfigured);

  auto refused_pool = make_pool(make_keys(2));
  for (const std::int64_t id : {1, 1, 2, 2}) take(*refused_pool, id, 2, kStart)->report(refused(), kStart);
  EXPECT_EQ(refused_pool->select({}, kStart).error().code, ErrorCode::kCredentialsExhausted);

  auto paid_out = make_pool(make_keys(2));
  for (const std::int64_t id : {1, 2}) take(*paid_out, id, 2, kStart)->report(exhaust(), kStart);
  const Error error = paid_out->select({}, kStart + 600s).error();
  EXPECT_EQ(error.code, ErrorCode::kCredentialsExhausted);
  EXPECT_EQ(error.retry_after, 3000);
}

// Scenario 19.
TEST(KeyPoolTest, AllCoolingNamesTheSoonestEnd) {
  auto pool = make_pool(make_keys(3));
  take(*pool, 1, 3, kStart)->report(cool_for(30s), kStart);
  take(*pool, 2, 3, kStart)->report(cool_for(10s), kStart);
  take(*pool, 3, 3, kStart)->report(cool_for(20s), kStart);
  const Error error = pool->select({}, kStart).error();
  EXPECT_EQ(error.code, ErrorCode::kAllKeysCooling);
  EXPECT_EQ(error.retry_after, 10);
  EXPECT_EQ(pool->select({}, kStart + 9100ms).error().retry_after, 1);
  EXPECT_EQ(pick(*pool, kStart + 10s), 2);
}

TEST(KeyPoolTest, AllUsableKeysTriedIsNotAnEmptyPool) {
  auto pool = make_pool(make_keys(1));
  const KeyId tried[] = {KeyId{1}};
  const auto result = pool->select({.tried = tried}, kStart);
  EXPECT_EQ(result.error().code, ErrorCode::kAllKeysCooling);
  EXPECT_EQ(result.error().retry_after, 1);
}

TEST(KeyPoolTest, ReplacingKeysKeepsHealthById) {
  auto keys = make_keys(3);
  auto pool = make_pool(keys);
  take(*pool, 2, 3, kStart)->report(cool_for(100s), kStart);
  std::swap(keys[0], keys[2]);
  keys.push_back(make_key(9));
  pool->replace_keys(keys);
  EXPECT_EQ(state(*pool, 2, kStart + 99s), KeyState::kCooling);
  EXPECT_EQ(pool->counts(kStart + 99s).active, 3U);
  EXPECT_EQ(pool->counts(kStart + 100s).active, 4U);
}

TEST(KeyPoolTest, AppendedKeysTakePartAndTheOthersStayAsTheyWere) {
  for (const PolicyEntry& policy : selection_policies()) {
    auto keys = make_keys(3);
    keys[2].enabled = false;
    auto pool = make_pool(keys, {.policy = std::string(policy.id)});
    auto running = take(*pool, 1, 3, kStart);
    take(*pool, 2, 3, kStart)->report(cool_for(100s), kStart);
    std::vector<UpstreamKey> more;
    for (std::int64_t id = 10; id < 40; ++id) more.push_back(make_key(id));
    more[1].enabled = false;
    ASSERT_TRUE(pool->append_keys(more)) << policy.id;
    EXPECT_EQ(state(*pool, 2, kStart + 99s), KeyState::kCooling);
    EXPECT_EQ(pool->counts(kStart).total, 33U);
    EXPECT_EQ(pool->counts(kStart).disabled, 2U);
    EXPECT_EQ(pool->counts(kStart).active, 30U);
    EXPECT_EQ(pool->status(KeyId{1}, kStart)->in_flight, 1U);
    running->report(cool_for(10s), kStart);
    EXPECT_EQ(state(*pool, 1, kStart), KeyState::kCooling);
    running = KeyLease();
    std::vector<KeyId> tried;  // each of them once
    while (auto lease = pool->select({.tried = tried}, kStart + 1s)) tried.push_back(lease->key().id);
    EXPECT_EQ(tried.size(), 29U) << policy.id;
    EXPECT_EQ(pool->counts(kStart + 200s).active, 31U);
    pool->replace_keys(more);  // and the next complete list fits
    EXPECT_EQ(pool->counts(kStart + 200s).total, 30U);
  }
}

TEST(KeyPoolTest, KeysThatChangeTheTablesAreNotAppended) {
  auto pool = make_pool(make_keys(3));
  std::vector<UpstreamKey> bad(5, make_key(10));
  bad[0].priority = 1;
  bad[1].group = "g";
  bad[2].limits.rpm = 1;
  bad[3].id = KeyId{3};
  bad[4].id = KeyId{2};
  for (const UpstreamKey& key : bad) EXPECT_FALSE(pool->append_keys({&key, 1}));
  EXPECT_EQ(pool->counts(kStart).total, 3U);
  EXPECT_FALSE(make_pool({})->append_keys(std::vector<UpstreamKey>{make_key(1)}));
}

TEST(KeyPoolTest, NewSecretUnderAnOldIdStartsHealthy) {
  auto keys = make_keys(2);
  auto pool = make_pool(keys);
  auto old = take(*pool, 1, 2, kStart);
  old->report(invalid(), kStart);
  keys[0].secret = Secret("sk-new");
  pool->replace_keys(keys);
  EXPECT_EQ(state(*pool, 1, kStart), KeyState::kActive);
  old->report(invalid(), kStart);  // about the old secret
  EXPECT_EQ(state(*pool, 1, kStart), KeyState::kActive);
  EXPECT_EQ(old->key().secret.expose(), "sk-1");
  EXPECT_EQ(pool->status(KeyId{1}, kStart)->in_flight, 0U);
}

// Scenario 68: delete while in flight.
TEST(KeyPoolTest, LeaseOutlivesItsKeyAndFreesItsSlotOnce) {
  auto pool = make_pool(make_keys(2));
  auto lease = take(*pool, 1, 2, kStart);
  KeyLease moved = std::move(*lease);
  EXPECT_FALSE(static_cast<bool>(*lease));
  pool->replace_keys(std::vector<UpstreamKey>{make_key(2)});
  EXPECT_EQ(moved.key().secret.expose(), "sk-1");
  EXPECT_EQ(pool->counts(kStart).in_flight, 1U);
  moved.report(cool(), kStart);
  moved = KeyLease();
  EXPECT_EQ(pool->counts(kStart).in_flight, 0U);
  EXPECT_EQ(pool->counts(kStart).total, 1U);
}

TEST(KeyPoolTest, LeaseOutlivesThePool) {
  auto pool = make_pool(make_keys(1));
  auto lease = pool->select({}, kStart);
  pool.reset();
  lease->report(good(), kStart);
  EXPECT_EQ(lease->key().id, KeyId{1});
}

TEST(KeyPoolTest, LeaseSurvivesReorderingOfTheKeys) {
  auto keys = make_keys(3);
  auto pool = make_pool(keys);
  auto lease = take(*pool, 1, 3, kStart);
  std::rotate(keys.begin(), keys.begin() + 1, keys.end());
  pool->replace_keys(keys);
  EXPECT_EQ(pool->status(KeyId{1}, kStart)->in_flight, 1U);
  lease->report(cool_for(10s), kStart);
  EXPECT_EQ(state(*pool, 1, kStart), KeyState::kCooling);
  lease = KeyLease();
  EXPECT_EQ(pool->status(KeyId{1}, kStart)->in_flight, 0U);
}

TEST(KeyPoolTest, UnknownSettingsAreRefusedAndChangeNothing) {
  auto pool = make_pool(make_keys(2));
  const auto wrong = pool->configure({.policy = "round_robbin"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "selection_policy");
  EXPECT_EQ(pool->configure({.invalid_after = 11}).error().field, "invalid_after");
  EXPECT_NE(pick(*pool, kStart), pick(*pool, kStart));
}

TEST(KeyPoolTest, ChangingThePolicyKeepsHealthAndLeases) {
  auto pool = make_pool(make_keys(3));
  auto lease = take(*pool, 1, 3, kStart);
  take(*pool, 2, 3, kStart)->report(cool_for(60s), kStart);
  ASSERT_TRUE(pool->configure({.policy = "least_in_flight"}));
  EXPECT_EQ(pick(*pool, kStart), 3);
  EXPECT_EQ(pool->counts(kStart).in_flight, 1U);
  lease = KeyLease();
  EXPECT_EQ(pool->counts(kStart).in_flight, 0U);
}

TEST(KeyPoolTest, TraceCountsWhoWasPassedOver) {
  auto keys = make_keys(6);
  keys[0].enabled = false;
  auto pool = make_pool(keys);
  take(*pool, 2, 6, kStart)->report(cool(), kStart);
  take(*pool, 3, 6, kStart)->report(exhaust(), kStart);
  SelectTrace trace;
  const KeyId tried[] = {KeyId{4}};
  const auto lease = pool->select({.tried = tried, .trace = &trace}, kStart);
  const auto count = [&trace](KeyStanding standing) { return trace.standings[static_cast<std::size_t>(standing)]; };
  EXPECT_EQ(count(KeyStanding::kDisabled), 1U);
  EXPECT_EQ(count(KeyStanding::kCooling), 1U);
  EXPECT_EQ(count(KeyStanding::kExhausted), 1U);
  EXPECT_EQ(count(KeyStanding::kUsable), 3U);
  EXPECT_EQ(trace.tried, 1U);
  EXPECT_EQ(trace.key, lease->key().id);
}

}  // namespace
}  // namespace akr
