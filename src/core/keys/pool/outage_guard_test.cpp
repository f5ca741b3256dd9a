// D25: most of a pool fails the same way, so the upstream is blamed and not the keys.
#include "core/keys/pool/outage_guard.hpp"

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"

namespace akr {
namespace {

using namespace pool_test;

// Scenario 10, and the figure of issue 3: a pool-wide wave changes the state of no key and heals at once.
TEST(OutageGuardTest, AWaveChangesTheStateOfNoKeyAndHealsWithTheFirstSuccess) {
  for (const Verdict& wave : {cool(), forbidden(), invalid(), exhaust(), refused()}) {
    constexpr std::int64_t kKeys = 40;
    auto pool = make_pool(make_keys(kKeys));
    int upstream_calls = 0;
    std::vector<TimePoint> calls_after_trip;
    TimePoint now = kStart;
    for (; now < kStart + 120s; now += 100ms) {
      auto lease = pool->select({}, now);
      if (!lease) {
        ASSERT_EQ(lease.error().code, ErrorCode::kAllKeysCooling);
        ASSERT_EQ(lease.error().retry_after, 1);
        continue;
      }
      ++upstream_calls;
      if (pool->outage().suspected) calls_after_trip.push_back(now);
      lease->report(wave, now);
    }
    EXPECT_TRUE(pool->outage().suspected);
    EXPECT_EQ(pool->outage().reason, wave.reason);
    EXPECT_LE(upstream_calls, 20 + 120);
    EXPECT_EQ(pool->outage().episodes, 1U) << "one alert";
    EXPECT_EQ(pool->counts(now).active, 40U);
    for (std::size_t i = 1; i < calls_after_trip.size(); ++i)
      ASSERT_GE(calls_after_trip[i] - calls_after_trip[i - 1], 1s);
    for (std::int64_t id = 1; id <= kKeys; ++id) {
      ASSERT_EQ(state(*pool, id, now), KeyState::kActive);
      ASSERT_EQ(pool->status(KeyId{id}, now)->consecutive_failures, 0U);
    }
    while (!pool->outage().suspected || now < kStart + 130s) {
      if (auto lease = pool->select({}, now)) {
        lease->report(good(), now);
        break;
      }
      now += 100ms;
    }
    EXPECT_LE(now - kStart, 122s);
    EXPECT_FALSE(pool->outage().suspected);
    for (int i = 0; i < 40; ++i) ASSERT_NE(pick(*pool, now), 0);
  }
}

TEST(OutageGuardTest, FewerThanHalfOrThreeKeysAreBlamedThemselves) {
  auto pool = make_pool(make_keys(10));
  for (std::int64_t id = 1; id <= 4; ++id) take(*pool, id, 10, kStart)->report(invalid(), kStart);
  EXPECT_FALSE(pool->outage().suspected);
  EXPECT_EQ(pool->counts(kStart).invalid, 4U);
  auto two = make_pool(make_keys(2));
  for (std::int64_t id = 1; id <= 2; ++id) take(*two, id, 2, kStart)->report(invalid(), kStart);
  EXPECT_FALSE(two->outage().suspected);
}

TEST(OutageGuardTest, ASuccessBetweenOrAMinuteOrAnotherClassIsNoWave) {
  auto pool = make_pool(make_keys(4));
  take(*pool, 1, 4, kStart)->report(cool(), kStart);
  take(*pool, 2, 4, kStart)->report(cool(), kStart);
  take(*pool, 3, 4, kStart)->report(good(), kStart);
  take(*pool, 4, 4, kStart)->report(cool(), kStart);
  EXPECT_FALSE(pool->outage().suspected);

  auto slow = make_pool(make_keys(4));
  for (std::int64_t id = 1; id <= 4; ++id) take(*slow, id, 4, kStart + id * 40s)->report(invalid(), kStart + id * 40s);
  EXPECT_FALSE(slow->outage().suspected);

  auto mixed = make_pool(make_keys(6));
  for (std::int64_t id = 1; id <= 2; ++id) take(*mixed, id, 6, kStart)->report(invalid(), kStart);
  for (std::int64_t id = 3; id <= 4; ++id) take(*mixed, id, 6, kStart)->report(forbidden(), kStart);
  for (std::int64_t id = 5; id <= 6; ++id) take(*mixed, id, 6, kStart)->report(exhaust(), kStart);
  EXPECT_FALSE(mixed->outage().suspected);
}

TEST(OutageGuardTest, OneKeyThatFailsOftenIsNoWave) {
  auto pool = make_pool(make_keys(4));
  std::vector<Result<KeyLease>> leases;
  for (int i = 0; i < 10; ++i) leases.push_back(take(*pool, 1, 4, kStart));
  for (auto& lease : leases) lease->report(forbidden(), kStart);
  EXPECT_FALSE(pool->outage().suspected);
}

// Scenario 19 stays true: the upstream answers and says when to come back.
TEST(OutageGuardTest, WaitsThatTheProviderAnnouncedAreNoWave) {
  auto pool = make_pool(make_keys(5));
  for (std::int64_t id = 1; id <= 5; ++id) take(*pool, id, 5, kStart)->report(cool_for(10s), kStart);
  EXPECT_FALSE(pool->outage().suspected);
  EXPECT_EQ(pool->counts(kStart).cooling, 5U);
}

TEST(OutageGuardTest, PenaltiesFromBeforeTheWaveStay) {
  auto pool = make_pool(make_keys(6));
  take(*pool, 1, 6, kStart)->report(invalid(), kStart);
  const TimePoint now = kStart + 120s;
  for (std::int64_t id = 2; id <= 4; ++id) take(*pool, id, 6, now)->report(forbidden(), now);
  EXPECT_TRUE(pool->outage().suspected);
  EXPECT_EQ(state(*pool, 1, now), KeyState::kInvalid);
  EXPECT_EQ(pool->counts(now).active, 5U);
}

TEST(OutageGuardTest, TakesBackCooldownsOfModelsToo) {
  auto pool = make_pool(make_keys(4));
  for (std::int64_t id = 1; id <= 2; ++id) take(*pool, id, 4, kStart, "m")->report(cool(Scope::kKeyModel), kStart);
  EXPECT_FALSE(take(*pool, 1, 4, kStart, "m"));
  take(*pool, 3, 4, kStart, "m")->report(cool(Scope::kKeyModel), kStart);
  ASSERT_TRUE(pool->outage().suspected);
  auto probe = pool->select({.model = "m"}, kStart + 1s);
  ASSERT_TRUE(probe);
  probe->report(good(), kStart + 1s);
  for (std::int64_t id = 1; id <= 4; ++id) EXPECT_TRUE(take(*pool, id, 4, kStart + 1s, "m"));
}

TEST(OutageGuardTest, CanBeSwitchedOff) {
  auto pool = make_pool(make_keys(4), {.outage_guard = false});
  for (std::int64_t id = 1; id <= 4; ++id) take(*pool, id, 4, kStart)->report(invalid(), kStart);
  EXPECT_FALSE(pool->outage().suspected);
  EXPECT_EQ(pool->counts(kStart).invalid, 4U);
}

}  // namespace
}  // namespace akr
