// The states of a key, seen through KeyPool: behaviour.md D02, D03 and its section 2.
#include "core/keys/pool/health.hpp"

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "core/outcome/outcome.hpp"

namespace akr {
namespace {

using namespace pool_test;

// Two keys, of which the first one fails; the guard would need three.
struct HealthTest : testing::Test {
  std::shared_ptr<KeyPool> pool = make_pool(make_keys(2));
  TimePoint now = kStart;

  void fail(const Verdict& verdict, std::int64_t id = 1) {
    auto lease = take(*pool, id, 2, now);
    ASSERT_TRUE(lease);
    lease->report(verdict, now);
  }
  Duration wait() { return *pool->status(KeyId{1}, now)->until - now; }
  KeyState state_now(std::int64_t id = 1) { return state(*pool, id, now); }
};

TEST_F(HealthTest, RateLimitWithoutHintEscalatesAndASuccessResetsIt) {
  for (const auto seconds : {60s, 120s, 240s, 480s, 900s, 900s}) {
    fail(cool());
    EXPECT_EQ(state_now(), KeyState::kCooling);
    EXPECT_EQ(wait(), seconds);
    now += seconds;
    EXPECT_EQ(state_now(), KeyState::kActive);
  }
  fail(good());
  fail(cool());
  EXPECT_EQ(wait(), 60s);
}

// Scenario 16, the part that is the pool's: what classify() hands over is kept within 1 s and 1 h.
TEST_F(HealthTest, HintsAreClamped) {
  fail(cool_for(10ms));
  EXPECT_EQ(wait(), 1s);
  now += 1s;
  fail(cool_for(52s));
  EXPECT_EQ(wait(), 52s);
  now += 52s;
  fail(cool_for(5h));
  EXPECT_EQ(wait(), 3600s);
}

// Scenario 14: one request finds out, the others wait for its answer.
TEST_F(HealthTest, AbsurdHintIsTriedAfterAnHourByOneRequest) {
  fail(cool_for(561'635s));
  now += 3599s;
  EXPECT_FALSE(take(*pool, 1, 2, now));
  now += 1s;
  auto trial = take(*pool, 1, 2, now);
  ASSERT_TRUE(trial);
  EXPECT_FALSE(take(*pool, 1, 2, now));
  EXPECT_EQ(pool->counts(now).trial, 1U);
  trial->report(cool_for(561'635s), now);
  trial = KeyLease();
  EXPECT_FALSE(take(*pool, 1, 2, now + 3599s));
  now += 3600s;
  trial = take(*pool, 1, 2, now);
  trial->report(good(), now);
  EXPECT_EQ(state_now(), KeyState::kActive);
  EXPECT_TRUE(take(*pool, 1, 2, now));
}

// The table had cut the absurd hint to an hour before the pool saw it, which then took it for an ordinary one: after
// the hour every request at once met the key.
TEST_F(HealthTest, AnAbsurdHintThatTheTableCutIsStillTriedByOneRequest) {
  fail(classify({.status = 429, .retry_after = 561'635s}));
  now += 1h;
  auto trial = take(*pool, 1, 2, now);
  ASSERT_TRUE(trial);
  EXPECT_FALSE(take(*pool, 1, 2, now));
  trial->report(good(), now);
  EXPECT_TRUE(take(*pool, 1, 2, now));
}

TEST_F(HealthTest, ATrialWithoutAVerdictLeavesTheNextRequestToTry) {
  fail(exhaust());
  now += 1h;
  take(*pool, 1, 2, now)->report({}, now);  // the upstream was down: nobody's fault
  auto second = take(*pool, 1, 2, now);
  ASSERT_TRUE(second);
  EXPECT_EQ(state_now(), KeyState::kExhausted);
}

// Scenario 15.
TEST_F(HealthTest, DeadlinesOnlyExtend) {
  auto older = take(*pool, 1, 2, now);
  fail(cool_for(300s));
  older->report(cool(), now);
  EXPECT_EQ(wait(), 300s);
  older->report(cool_for(400s), now);
  EXPECT_EQ(wait(), 400s);
}

TEST_F(HealthTest, AttemptsThatWereUnderWayTogetherEscalateOnce) {
  std::vector<Result<KeyLease>> leases;
  for (int i = 0; i < 10; ++i) leases.push_back(take(*pool, 1, 2, now));
  for (auto& lease : leases) lease->report(cool(), now);
  EXPECT_EQ(wait(), 60s);
  std::vector<Result<KeyLease>> forbidden_leases;
  for (int i = 0; i < 10; ++i) forbidden_leases.push_back(take(*pool, 2, 2, now));
  for (auto& lease : forbidden_leases) lease->report(forbidden(), now);
  EXPECT_EQ(state_now(2), KeyState::kCooling);
}

TEST_F(HealthTest, ASuccessThatBeganBeforeTheWaitDoesNotEndIt) {
  auto older = take(*pool, 1, 2, now);
  fail(cool_for(30s));
  older->report(good(), now);
  EXPECT_EQ(state_now(), KeyState::kCooling);
}

// Scenario 5.
TEST_F(HealthTest, TwoRefusalsInARowMakeAKeyInvalid) {
  fail(refused());
  EXPECT_EQ(state_now(), KeyState::kActive);
  fail(refused());
  EXPECT_EQ(state_now(), KeyState::kInvalid);
  now += 100h;
  EXPECT_FALSE(take(*pool, 1, 2, now));
  EXPECT_EQ(pool->status(KeyId{1}, now)->reason, "http_401");
}

// Scenario 6.
TEST_F(HealthTest, RefusalsWithASuccessOrTenMinutesBetweenDoNot) {
  for (int i = 0; i < 5; ++i) {
    fail(refused());
    fail(good());
  }
  for (int i = 0; i < 5; ++i) {
    fail(refused());
    now += 601s;
  }
  EXPECT_EQ(state_now(), KeyState::kActive);
}

TEST_F(HealthTest, ThresholdOfRefusalsIsASetting) {
  ASSERT_TRUE(pool->configure({.invalid_after = 4}));
  for (int i = 0; i < 3; ++i) fail(refused());
  EXPECT_EQ(state_now(), KeyState::kActive);
  fail(refused());
  EXPECT_EQ(state_now(), KeyState::kInvalid);
}

TEST_F(HealthTest, ThreeForbiddenInARowExhaustForAnHour) {
  for (int i = 0; i < 2; ++i) {
    fail(forbidden());
    EXPECT_EQ(state_now(), KeyState::kCooling);
    EXPECT_EQ(wait(), 300s);
    now += 300s;
  }
  fail(forbidden());
  EXPECT_EQ(state_now(), KeyState::kExhausted);
  EXPECT_EQ(wait(), 3600s);
}

// Scenario 11, and the doubling.
TEST_F(HealthTest, ExhaustionDoublesToADayIsTriedHourlyAndEndsByItself) {
  Duration expected = 1h;
  for (int i = 0; i < 7; ++i) {
    fail(exhaust());
    EXPECT_EQ(state_now(), KeyState::kExhausted);
    EXPECT_EQ(wait(), expected);
    EXPECT_FALSE(take(*pool, 1, 2, now + 59min));
    now += 1h;
    expected = std::min<Duration>(2 * expected, 24h);
  }
  fail(good());
  EXPECT_EQ(state_now(), KeyState::kActive);
  EXPECT_EQ(pool->counts(now).active, 2U);
}

TEST_F(HealthTest, QuotaUntilMidnightKeepsItsEndAndIsTriedHourly) {
  fail(exhaust_for(9h));
  EXPECT_EQ(wait(), 9h);
  EXPECT_FALSE(take(*pool, 1, 2, now + 3599s));
  EXPECT_TRUE(take(*pool, 1, 2, now + 3600s));
}

TEST_F(HealthTest, ExplicitInvalidationIsImmediate) {
  fail(invalid());
  EXPECT_EQ(state_now(), KeyState::kInvalid);
}

// Scenario 1 to 4: what is not the key's fault leaves no trace.
TEST_F(HealthTest, NobodysFaultChangesNothing) {
  for (int i = 0; i < 100; ++i) fail(Verdict{.endpoint = EndpointEffect::kFail, .reason = "http_503"});
  const KeyStatus status = *pool->status(KeyId{1}, now);
  EXPECT_EQ(status.state, KeyState::kActive);
  EXPECT_EQ(status.consecutive_failures, 0U);
  EXPECT_EQ(status.reason, "");
}

// Scenario 9.
TEST_F(HealthTest, AutoDisableOffNeverDisables) {
  ASSERT_TRUE(pool->configure({.auto_disable = false}));
  for (int i = 0; i < 100; ++i) fail(refused());
  fail(invalid());
  EXPECT_EQ(state_now(), KeyState::kActive);
  fail(exhaust());
  EXPECT_EQ(state_now(), KeyState::kCooling);
  EXPECT_EQ(wait(), 60s);
}

// Scenario 18, D06.
TEST_F(HealthTest, ASingleKeyWaitsOnlyIfTheProviderSaysHowLong) {
  auto only = make_pool(make_keys(1));
  for (int i = 0; i < 5; ++i) {
    auto lease = only->select({}, now);
    ASSERT_TRUE(lease);
    lease->report(cool(), now);
  }
  only->select({}, now)->report(forbidden(), now);
  only->select({}, now)->report(cool_for(7s), now);
  const auto answer = only->select({}, now);
  EXPECT_EQ(answer.error().code, ErrorCode::kAllKeysCooling);
  EXPECT_EQ(answer.error().retry_after, 7);
}

TEST_F(HealthTest, StatusTellsPeopleWhatHappened) {
  auto lease = take(*pool, 1, 2, now);
  lease->report(cool_for(30s), now);
  lease->note_failure(429, std::string(900, 'x'));
  const KeyStatus status = *pool->status(KeyId{1}, now + 1s);
  EXPECT_EQ(status.reason, "http_429");
  EXPECT_EQ(status.last_status, 429);
  EXPECT_EQ(status.last_error.size(), 500U);
  EXPECT_EQ(status.since, now);
  EXPECT_EQ(status.until, now + 30s);
  EXPECT_EQ(status.last_used, now);
  EXPECT_EQ(status.consecutive_failures, 1U);
  EXPECT_EQ(status.in_flight, 1U);
  EXPECT_FALSE(pool->status(KeyId{99}, now));
}

// Scenario 13.
TEST_F(HealthTest, ResetMakesAKeyUsableAtOnce) {
  for (const Verdict& verdict : {cool_for(156h), exhaust_for(156h), invalid()}) {
    fail(verdict);
    const KeyId ids[] = {KeyId{1}};
    pool->reset(ids, now);
    EXPECT_EQ(state_now(), KeyState::kActive);
    EXPECT_TRUE(take(*pool, 1, 2, now));
  }
  fail(invalid(), 1);
  fail(cool_for(1h), 2);
  pool->reset_all(now);
  EXPECT_EQ(pool->counts(now).active, 2U);
}

// Scenario 12: with every key out, validation still finds them, and a success brings one back.
TEST_F(HealthTest, ValidationPicksFromTheKeysThatAreNotActive) {
  fail(invalid(), 1);
  fail(exhaust(), 2);
  EXPECT_TRUE(pool->due_for_validation(10, now).empty());
  EXPECT_EQ(pool->due_for_validation(10, now + 5min), std::vector<KeyId>{KeyId{2}});
  EXPECT_TRUE(pool->due_for_validation(10, now + 5min).empty());
  now += 1h;
  EXPECT_EQ(pool->due_for_validation(10, now), (std::vector<KeyId>{KeyId{1}, KeyId{2}}));
  auto lease = pool->lease_for_validation(KeyId{1}, now);
  ASSERT_TRUE(lease);
  lease->report(good(), now);
  EXPECT_EQ(state_now(1), KeyState::kActive);
  EXPECT_EQ(pool->lease_for_validation(KeyId{99}, now).error().code, ErrorCode::kNotFound);
}

// A provider that refused a good key for a moment cost it an hour, although asking again is free.
TEST_F(HealthTest, WhereAskingIsFreeAnInvalidKeyIsAskedAboutSoon) {
  pool = make_pool(make_keys(2), {.free_call = true});
  fail(exhaust(), 2);
  for (int round = 0; round < 2; ++round) {
    fail(invalid(), 1);
    for (const Duration wait : std::initializer_list<Duration>{10s, 1min, 10min, 1h, 2h, 4h, 8h, 16h, 24h, 24h}) {
      for (const KeyId other : pool->due_for_validation(10, now + wait - 1s)) EXPECT_EQ(other, KeyId{2});
      now += wait;
      EXPECT_EQ(pool->due_for_validation(1, now), std::vector<KeyId>{KeyId{1}}) << round;
      pool->lease_for_validation(KeyId{1}, now)->report(invalid(), now);
    }
    pool->lease_for_validation(KeyId{1}, now)->report(good(), now);
    EXPECT_EQ(state_now(1), KeyState::kActive);
  }
}

TEST_F(HealthTest, ValidationOfAnInvalidKeyBacksOffToADay) {
  fail(invalid());
  int rounds = 0;
  for (int hour = 1; hour <= 24 * 7; ++hour) {
    for (const KeyId id : pool->due_for_validation(10, now + hour * 1h)) {
      ++rounds;
      pool->lease_for_validation(id, now + hour * 1h)->report(invalid(), now + hour * 1h);
    }
  }
  EXPECT_GE(rounds, 7);
  EXPECT_LE(rounds, 14);
}

// Scenario 12 where nothing else asks about a key: one request does, after an hour, then after twice as long.
TEST_F(HealthTest, AnInvalidKeyIsTriedByARequestIfNothingElseAsks) {
  pool = make_pool(make_keys(2), {.try_invalid = true});
  fail(invalid());
  for (const auto wait : {1h, 2h, 4h, 8h, 16h, 24h, 24h}) {
    EXPECT_EQ(pool->status(KeyId{1}, now)->until, now + wait);
    EXPECT_FALSE(take(*pool, 1, 2, now + wait - 1s));
    now += wait;
    auto trial = take(*pool, 1, 2, now);
    ASSERT_TRUE(trial);
    EXPECT_FALSE(take(*pool, 1, 2, now)) << "one at a time";
    EXPECT_EQ(state_now(), KeyState::kInvalid);
    trial->report(refused(), now);
  }
  now += 24h;
  fail(good());
  EXPECT_EQ(state_now(), KeyState::kActive);
  fail(invalid());
  EXPECT_EQ(pool->status(KeyId{1}, now)->until, now + 1h);
}

TEST_F(HealthTest, InvalidKeysOfBeforeAreTriedOnceTheSettingIsOn) {
  fail(invalid());
  auto restarted = make_pool(make_keys(2), {.try_invalid = true});
  restarted->import_states(pool->export_states(now, WallTime{}), now, WallTime{});
  pool->configure({.try_invalid = true}).value();
  for (const auto& each : {pool, restarted}) {
    EXPECT_FALSE(take(*each, 1, 2, now + 59min));
    EXPECT_TRUE(take(*each, 1, 2, now + 1h));
  }
}

// A validation call that says nothing about keys left an invalid one out for ever.
TEST_F(HealthTest, AKeyThatValidationCannotJudgeIsTriedByARequest) {
  fail(invalid());
  pool->let_request_try(KeyId{1}, now);
  for (const auto wait : {1h, 1h, 2h, 4h}) {
    pool->let_request_try(KeyId{1}, now + wait / 2);  // the next such call changes nothing
    EXPECT_FALSE(take(*pool, 1, 2, now + wait - 1s));
    now += wait;
    auto trial = take(*pool, 1, 2, now);
    ASSERT_TRUE(trial);
    trial->report(refused(), now);
    EXPECT_FALSE(take(*pool, 1, 2, now)) << "one request finds out, not each";
  }
  now += 8h;
  fail(good());
  EXPECT_EQ(state_now(), KeyState::kActive);
  pool->let_request_try(KeyId{1}, now);
  pool->let_request_try(KeyId{99}, now);
  EXPECT_EQ(state_now(), KeyState::kActive);
}

// A length of our own looked like the provider's hint: it did not grow, and shut the only key of a pool.
TEST_F(HealthTest, AWaitThatWeInventedGrowsAndSparesTheOnlyKey) {
  Verdict guess = cool_for(60s);
  guess.wait_from = WaitSource::kDefault;
  for (const auto wait : {60s, 120s, 240s, 480s, 900s, 900s}) {
    fail(guess);
    EXPECT_EQ(*pool->status(KeyId{1}, now)->until, now + wait);
    now += wait;
  }
  Verdict longer = cool_for(1h);
  longer.wait_from = WaitSource::kDefault;
  fail(longer);
  EXPECT_EQ(*pool->status(KeyId{1}, now)->until, now + 1h);
  auto only = make_pool(make_keys(1));
  only->select({}, now)->report(guess, now);
  EXPECT_EQ(state(*only, 1, now), KeyState::kActive);
}

TEST_F(HealthTest, StatesSurviveARestart) {
  const WallTime wall{std::chrono::hours(500'000)};
  fail(exhaust_for(9h), 1);
  fail(refused(), 2);
  fail(refused(), 2);
  const auto rows = pool->export_states(now, wall);
  ASSERT_EQ(rows.size(), 2U);
  // Another process: its own clock starts elsewhere, an hour of wall time has passed.
  const TimePoint other{std::chrono::seconds(50)};
  auto next = make_pool(make_keys(2));
  next->import_states(rows, other, wall + 30min);
  EXPECT_EQ(state(*next, 1, other), KeyState::kExhausted);
  EXPECT_EQ(*next->status(KeyId{1}, other)->until, other + 9h - 30min);
  EXPECT_EQ(next->status(KeyId{2}, other)->state, KeyState::kInvalid);
  EXPECT_EQ(next->status(KeyId{2}, other)->reason, "http_401");
  EXPECT_FALSE(take(*next, 1, 2, other + 29min));
  EXPECT_TRUE(take(*next, 1, 2, other + 30min));
}

}  // namespace
}  // namespace akr
