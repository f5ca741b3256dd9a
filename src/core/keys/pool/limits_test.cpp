// D27: what a key may still do.  SlidingMinute and the calendar alone, then through KeyPool.
#include "core/keys/pool/limits.hpp"

#include <algorithm>
#include <deque>
#include <thread>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/selection/random_source.hpp"

namespace akr {
namespace {

using namespace pool_test;

UpstreamKey limited_key(std::int64_t id, const KeyLimits& limits) {
  UpstreamKey key = make_key(id);
  key.limits = limits;
  return key;
}

// Against a list of all times: never one too many, and with small limits exactly as many as allowed.
TEST(SlidingMinuteTest, NeverLetsOneMoreThroughInAnySixtySeconds) {
  for (const std::uint64_t limit : {1U, 4U, 64U, 65U, 500U}) {
    SlidingMinute minute;
    minute.set_limit(limit);
    std::deque<TimePoint> taken;
    Random random(limit);
    TimePoint now = kStart;
    for (int step = 0; step < 20'000; ++step) {
      now += std::chrono::milliseconds(random.below(static_cast<std::uint32_t>(90'000 / limit)));
      while (!taken.empty() && now - taken.front() >= 60s) taken.pop_front();
      const bool fits = minute.fits(1, now);
      if (limit <= 64) ASSERT_EQ(fits, taken.size() < limit);
      if (!fits) {
        ASSERT_GT(minute.free_at(), now);
        ASSERT_LE(minute.free_at(), now + 61s);
        continue;
      }
      ASSERT_LT(taken.size(), limit);
      minute.add(1, now);
      taken.push_back(now);
    }
  }
}

TEST(SlidingMinuteTest, FreeAtIsExactForSmallLimits) {
  SlidingMinute minute;
  minute.set_limit(2);
  minute.add(1, kStart);
  minute.add(1, kStart + 10s);
  ASSERT_FALSE(minute.fits(1, kStart + 20s));
  EXPECT_EQ(minute.free_at(), kStart + 60s);
  EXPECT_FALSE(minute.fits(1, kStart + 60s - 1ns));
  EXPECT_TRUE(minute.fits(1, kStart + 60s));
}

TEST(SlidingMinuteTest, AChangedLimitIsNoFreshMinute) {
  SlidingMinute minute;
  minute.set_limit(5);
  for (int i = 0; i < 5; ++i) minute.add(1, kStart + i * 1s);
  minute.set_limit(3);
  EXPECT_FALSE(minute.fits(1, kStart + 5s));
  EXPECT_EQ(minute.free_at(), kStart + 62s);
  minute.set_limit(6);
  EXPECT_TRUE(minute.fits(1, kStart + 5s));
}

TEST(SlidingMinuteTest, SmallerAndLargerLimitsKeepWhatIsInTheMinute) {
  SlidingMinute minute;
  minute.set_limit(1000);
  for (int i = 0; i < 50; ++i) minute.add(2, kStart + i * 1s);
  minute.set_limit(99);
  EXPECT_FALSE(minute.fits(1, kStart + 59s));
  EXPECT_EQ(minute.free_at(), kStart + 60s);
  EXPECT_TRUE(minute.fits(1, kStart + 60s));
  minute.add(1, kStart + 60s);
  minute.set_limit(101);
  EXPECT_TRUE(minute.fits(2, kStart + 60s));
  EXPECT_FALSE(minute.fits(3, kStart + 60s));
}

TEST(WallClockTest, DaysAndMonthsBeginInTheZone) {
  using namespace std::chrono;
  WallClock clock = WallClock::at(kStart, WallTime(sys_days(2026y / March / 31) + 20h));
  clock.utc_offset = hours(-8);
  EXPECT_EQ(clock.next_day(kStart), kStart + 12h);
  EXPECT_EQ(clock.next_month(kStart, 1), kStart + 12h);
  EXPECT_EQ(clock.next_month(kStart, 15), kStart + 12h + 14 * 24h);
  EXPECT_EQ(clock.wall(clock.steady(WallTime(sys_days(2027y / January / 1)))), WallTime(sys_days(2027y / January / 1)));
}

// Scenario 33.
TEST(KeyLimitsTest, RpmIsNeverExceededByABurstAndOthersServe) {
  auto keys = make_keys(10);
  keys[0].limits.rpm = 4;
  auto pool = make_pool(keys, {.policy = "fill_first"});
  std::vector<TimePoint> used;
  for (int i = 0; i < 2000; ++i) {
    const TimePoint now = kStart + i * 100ms;
    const std::int64_t id = pick(*pool, now);
    ASSERT_NE(id, 0);
    if (id == 1) used.push_back(now);
  }
  EXPECT_GE(used.size(), 13U);
  for (std::size_t i = 4; i < used.size(); ++i) EXPECT_GE(used[i] - used[i - 4], 60s);
}

TEST(KeyLimitsTest, AllKeysAtTheirLimitSayWhenTheFirstIsFree) {
  auto pool = make_pool({limited_key(1, {.rpm = 2}), limited_key(2, {.rpm = 2})});
  for (int i = 0; i < 4; ++i) ASSERT_NE(pick(*pool, kStart + i * 1s), 0);
  const auto answer = pool->select({}, kStart + 10s);
  EXPECT_EQ(answer.error().code, ErrorCode::kAllKeysCooling);
  EXPECT_EQ(answer.error().retry_after, 50);
  EXPECT_EQ(pool->counts(kStart + 10s).limited, 2U);
  EXPECT_NE(pick(*pool, kStart + 60s), 0);
}

TEST(KeyLimitsTest, TokensCountAtTheEstimateAndAreCorrected) {
  auto pool = make_pool({limited_key(1, {.tpm = 1000})});
  {
    auto lease = pool->select({.tokens = 600}, kStart);
    ASSERT_TRUE(lease);
    EXPECT_FALSE(pool->select({.tokens = 600}, kStart));
    lease->count_tokens(100, kStart);
  }
  EXPECT_TRUE(pool->select({.tokens = 900}, kStart));
  EXPECT_FALSE(pool->select({.tokens = 1}, kStart + 1s));
  EXPECT_TRUE(pool->select({.tokens = 5000}, kStart + 61s)) << "larger than the limit: alone in its minute";
}

TEST(KeyLimitsTest, DailyAndMonthlyQuotasEndWithTheCalendar) {
  using namespace std::chrono;
  auto pool = make_pool({limited_key(1, {.rpd = 3, .monthly_quota = 5, .monthly_reset_day = 2})});
  pool->set_wall_clock(kStart, WallTime(sys_days(2026y / May / 1) + 22h), hours(0));
  for (int i = 0; i < 3; ++i) ASSERT_EQ(pick(*pool, kStart), 1);
  EXPECT_EQ(pool->select({}, kStart).error().retry_after, 7200);
  TimePoint now = kStart + 2h;  // 2 May: a new day and a new month
  for (int i = 0; i < 3; ++i) ASSERT_EQ(pick(*pool, now), 1);
  now += 24h;
  for (int i = 0; i < 2; ++i) ASSERT_EQ(pick(*pool, now), 1);
  EXPECT_EQ(pool->select({}, now).error().retry_after, 30 * 86'400);
}

TEST(KeyLimitsTest, QuotaCountsSurviveARestart) {
  using namespace std::chrono;
  const WallTime noon(sys_days(2026y / May / 1) + 12h);
  const std::vector<UpstreamKey> keys{limited_key(1, {.rpd = 3, .monthly_quota = 10})};
  auto pool = make_pool(keys);
  pool->set_wall_clock(kStart, noon, hours(0));
  const std::uint64_t version = pool->version();
  for (int i = 0; i < 3; ++i) pick(*pool, kStart);
  EXPECT_NE(pool->version(), version);
  const auto rows = pool->export_states(kStart, noon);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].used_today, 3U);

  const TimePoint other{5s};
  auto same_day = make_pool(keys);
  same_day->set_wall_clock(other, noon + 1h, hours(0));
  same_day->import_states(rows, other, noon + 1h);
  EXPECT_FALSE(same_day->select({}, other));
  auto next_day = make_pool(keys);
  next_day->set_wall_clock(other, noon + 24h, hours(0));
  next_day->import_states(rows, other, noon + 24h);
  EXPECT_EQ(pick(*next_day, other), 1);
}

// Scenario 32: never more than 2 x 5 in flight, and every slot comes back, whatever the end of the attempt.
TEST(KeyLimitsTest, ConcurrencyIsNeverExceededAndAlwaysGivenBack) {
  std::vector<UpstreamKey> keys;
  for (std::int64_t id = 1; id <= 5; ++id) keys.push_back(limited_key(id, {.max_concurrency = 2}));
  auto pool = make_pool(keys);
  std::vector<KeyLease> leases;
  for (int i = 0; i < 100; ++i)
    if (auto lease = pool->select({}, kStart)) leases.push_back(std::move(*lease));
  EXPECT_EQ(leases.size(), 10U);
  EXPECT_EQ(pool->select({}, kStart).error().retry_after, 1);
  leases[0].report(good(), kStart);
  leases[1].report({}, kStart);
  leases.clear();
  EXPECT_EQ(pool->counts(kStart).in_flight, 0U);
  EXPECT_EQ(pool->counts(kStart).active, 5U);
}

TEST(KeyLimitsTest, ChangedKeysKeepTheirRunningAttempts) {
  auto pool = make_pool({limited_key(1, {.max_concurrency = 2})});
  auto first = pool->select({}, kStart);
  auto second = pool->select({}, kStart);
  pool->replace_keys(std::vector<UpstreamKey>{limited_key(1, {.max_concurrency = 1})});
  first = KeyLease();
  EXPECT_FALSE(pool->select({}, kStart));
  second = KeyLease();
  EXPECT_TRUE(pool->select({}, kStart));
}

// A validation that was under way during an edit kept one of the key's places for ever.
TEST(KeyLimitsTest, AValidationDuringAnEditTakesNoPlace) {
  for (const char* group : {"", "g"}) {
    std::vector<UpstreamKey> keys{limited_key(1, {.max_concurrency = 1})};
    keys[0].group = group;
    auto pool = make_pool(keys);
    auto probe = pool->lease_for_validation(KeyId{1}, kStart);
    pool->replace_keys(keys);
    auto request = pool->select({}, kStart);
    ASSERT_TRUE(request) << group;
    pool->replace_keys(keys);
    EXPECT_FALSE(pool->select({}, kStart));
    probe = KeyLease();
    EXPECT_FALSE(pool->select({}, kStart));
    pool->replace_keys(keys);
    EXPECT_FALSE(pool->select({}, kStart));
    request = KeyLease();
    EXPECT_TRUE(pool->select({}, kStart)) << group;
    EXPECT_EQ(pool->counts(kStart).in_flight, 0U);
  }
}

TEST(KeyLimitsTest, PacedKeysAreSkippedUntilTheReset) {
  auto pool = make_pool(make_keys(2));
  auto lease = take(*pool, 1, 2, kStart);
  lease->report(good(), kStart);
  lease->observe_remaining(5, 20s, kStart);
  EXPECT_TRUE(take(*pool, 1, 2, kStart));
  lease->observe_remaining(0, 20s, kStart);
  lease->report(good(), kStart);  // the answer that said "0 left" was a good one
  EXPECT_FALSE(take(*pool, 1, 2, kStart + 19s));
  EXPECT_EQ(pool->counts(kStart + 19s).limited, 1U);
  EXPECT_EQ(state(*pool, 1, kStart + 19s), KeyState::kActive);
  EXPECT_TRUE(take(*pool, 1, 2, kStart + 20s));
}

TEST(KeyLimitsTest, PacingOfAModelLeavesOtherModelsAlone) {
  auto pool = make_pool(make_keys(2));
  auto lease = take(*pool, 1, 2, kStart, "a");
  lease->observe_remaining(0, 20s, kStart);
  lease->report(good(), kStart);
  EXPECT_FALSE(take(*pool, 1, 2, kStart + 1s, "a"));
  EXPECT_TRUE(take(*pool, 1, 2, kStart + 1s, "b"));
  EXPECT_TRUE(take(*pool, 1, 2, kStart + 20s, "a"));
}

// ---- the same key for one more attempt, at another upstream

TEST(KeyLimitsTest, ARenewedLeaseCountsAsOneMoreRequest) {
  auto pool = make_pool({limited_key(1, {.rpm = 2, .max_concurrency = 1})});
  auto lease = pool->select({}, kStart);
  EXPECT_TRUE(lease->renew(0, kStart));   // its own attempt is over: not too many at a time
  EXPECT_FALSE(lease->renew(0, kStart));  // a third request within the minute
  EXPECT_FALSE(pool->select({}, kStart + 61s));
  EXPECT_TRUE(lease->renew(0, kStart + 61s));
  lease = KeyLease();
  EXPECT_EQ(pool->counts(kStart + 61s).in_flight, 0U);
  EXPECT_TRUE(pool->select({}, kStart + 61s));
}

TEST(KeyLimitsTest, ALeaseIsNotRenewedWhenItsKeyIsOut) {
  auto pool = make_pool(make_keys(2));
  auto lease = take(*pool, 1, 2, kStart);
  EXPECT_TRUE(lease->renew(0, kStart));
  take(*pool, 1, 2, kStart)->report(cool_for(10s), kStart);  // somebody else's 429
  EXPECT_FALSE(lease->renew(0, kStart));
  EXPECT_TRUE(lease->renew(0, kStart + 11s));
  auto keys = make_keys(2);
  keys[0].enabled = false;
  pool->replace_keys(keys);
  EXPECT_FALSE(lease->renew(0, kStart + 11s));
  pool->replace_keys(std::vector<UpstreamKey>{keys[1]});
  EXPECT_FALSE(lease->renew(0, kStart + 11s));
  EXPECT_FALSE(KeyLease().renew(0, kStart));
}

// A second attempt with the same key was not counted in its tpm: at another URL a request could cost twice what fits.
TEST(KeyLimitsTest, ARenewedLeaseCountsItsTokensToo) {
  auto pool = make_pool({limited_key(1, {.tpm = 100})});
  auto lease = pool->select({.tokens = 60}, kStart);
  ASSERT_TRUE(lease);
  EXPECT_FALSE(lease->renew(60, kStart));  // the first attempt may have been answered: it still counts
  lease->count_tokens(0, kStart);          // it was refused and cost nothing
  EXPECT_TRUE(lease->renew(60, kStart));
  lease = KeyLease();
  EXPECT_FALSE(pool->select({.tokens = 60}, kStart));
  auto small = pool->select({.tokens = 40}, kStart);
  ASSERT_TRUE(small);
  small->count_tokens(10, kStart);  // 70 of 100
  EXPECT_FALSE(small->renew(40, kStart));
  EXPECT_TRUE(small->renew(30, kStart));
}

// The model's wait, or the outage guard's, was no reason against a second attempt with the same key.
TEST(KeyLimitsTest, ALeaseIsNotRenewedWhileItsModelOrTheUpstreamWaits) {
  auto pool = make_pool(make_keys(3));
  auto lease = pool->select_exactly(KeyId{1}, {.model = "m"}, kStart);
  ASSERT_TRUE(lease);
  pool->select_exactly(KeyId{1}, {.model = "m"}, kStart)->report(cool_for(10s, Scope::kKeyModel), kStart);
  EXPECT_FALSE(lease->renew(0, kStart));
  EXPECT_TRUE(lease->renew(0, kStart + 11s));
  auto all = make_pool(make_keys(3));
  lease = take(*all, 1, 3, kStart);
  for (std::int64_t id = 1; id <= 3; ++id) take(*all, id, 3, kStart)->report(cool(), kStart);
  ASSERT_TRUE(all->outage().suspected);
  EXPECT_FALSE(lease->renew(0, kStart));
}

TEST(KeyLimitsTest, ATrialMayGoOnAtAnotherUpstream) {
  auto pool = make_pool(make_keys(2));
  take(*pool, 1, 2, kStart)->report(exhaust_for(10s), kStart);
  auto trial = take(*pool, 1, 2, kStart + 11s);
  ASSERT_TRUE(trial);
  EXPECT_FALSE(take(*pool, 1, 2, kStart + 11s));
  EXPECT_TRUE(trial->renew(0, kStart + 11s));
}

}  // namespace
}  // namespace akr
