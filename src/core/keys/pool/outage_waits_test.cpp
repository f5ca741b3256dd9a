// D25 for waits whose length is ours, for refusals of access, and for those of our own address.
#include <set>

#include <gtest/gtest.h>

#include "core/keys/pool/outage_guard.hpp"
#include "core/keys/pool/pool_test_support.hpp"

namespace akr {
namespace {

using namespace pool_test;

Verdict guessed(Duration length, Scope scope = Scope::kKeyModel) {
  Verdict verdict = cool_for(length, scope);
  verdict.wait_from = WaitSource::kDefault;
  return verdict;
}

Verdict no_permission() {
  Verdict verdict = guessed(10min);
  verdict.denies_access = true;
  return verdict;
}

Verdict no_such_model() {
  Verdict verdict = no_permission();
  verdict.lacks_model = true;
  return verdict;
}

Verdict not_from_here() {
  Verdict verdict = guessed(10min, Scope::kGroup);
  verdict.refuses_address = true;
  return verdict;
}

// The provider says that our country is refused: no key can change that.
Verdict country_refused() {
  return {.refuses_address = true, .endpoint = EndpointEffect::kOk, .reason = "egress_region"};
}

// One request with up to three attempts, as the data plane makes them.  The keys that were asked; the last one answered
// well if `served`.
struct Asked {
  std::vector<std::int64_t> keys;
  bool served = false;
};
template <class Answer>  // answer(key) -> Verdict
Asked request(KeyPool& pool, std::string_view model, TimePoint now, Answer answer) {
  Asked asked;
  std::vector<KeyId> tried;
  while (tried.size() < 3) {
    auto lease = pool.select({.tried = tried, .model = model}, now);
    if (!lease) return asked;
    tried.push_back(lease->key().id);
    asked.keys.push_back(lease->key().id.value);
    const Verdict verdict = answer(lease->key().id.value);
    lease->report(verdict, now);
    asked.served = verdict.key == KeyAction::kGood;
    if (asked.served || verdict.retry == RetryAdvice::kReturn) return asked;
  }
  return asked;
}

// A default of ours looked like the provider's hint: twelve keys that answered a 429 without RetryInfo, or a refusal of
// a model, for three seconds stayed out for minutes after the upstream had healed.
TEST(OutageWaitsTest, AWaitThatWeInventedEndsWithTheOutage) {
  const Verdict kinds[] = {guessed(60s), guessed(60s, Scope::kGroupModel), no_permission(), no_such_model(),
                           not_from_here()};
  for (const Verdict& sick : kinds) {
    auto pool = make_pool(make_keys(12));
    TimePoint now = kStart;
    for (; now < kStart + 3s; now += 50ms) request(*pool, "m", now, [&](std::int64_t) { return sick; });
    std::set<std::int64_t> serving;
    for (; now < kStart + 8s; now += 50ms) {
      const Asked asked = request(*pool, "m", now, [&](std::int64_t) { return good(); });
      if (asked.served) serving.insert(asked.keys.back());
    }
    EXPECT_EQ(serving.size(), 12U) << sick.reason;
    EXPECT_FALSE(pool->outage().suspected);
    for (std::int64_t id = 1; id <= 12; ++id) EXPECT_EQ(pool->status(KeyId{id}, now)->cooling_models, 0U);
  }
}

// What the operator ordered, or the provider announced, is no guess.
TEST(OutageWaitsTest, WaitsOfRulesAreNoWave) {
  Verdict ordered = cool_for(600s);
  ordered.wait_from = WaitSource::kOperator;
  auto pool = make_pool(make_keys(4));
  for (std::int64_t id = 1; id <= 4; ++id) take(*pool, id, 4, kStart)->report(ordered, kStart);
  EXPECT_FALSE(pool->outage().suspected);
  EXPECT_EQ(pool->counts(kStart).cooling, 4U);
}

// A client that asks for a failing model again and again must not use up the one request per second of all others.
TEST(OutageWaitsTest, AModelThatFailsKeepsNobodyFromTheOthers) {
  auto pool = make_pool(make_keys(6));
  TimePoint now = kStart;
  const auto failing = [](std::int64_t) { return guessed(60s); };
  for (int i = 0; i < 2; ++i) request(*pool, "busy", now, failing);
  ASSERT_TRUE(pool->outage().suspected);
  EXPECT_TRUE(request(*pool, "busy", now + 500ms, failing).keys.empty());
  const auto serving = [](std::int64_t) { return good(); };
  EXPECT_TRUE(request(*pool, "other", now + 500ms, serving).served);
  EXPECT_FALSE(pool->outage().suspected);
}

// "Request not allowed", "country not supported": such answers passed at full rate, and each endangers the keys.
TEST(OutageWaitsTest, ThreeRefusalsOfOurAddressSlowThePoolDownAndBlameNoKey) {
  for (const std::int64_t keys : {1, 2, 12}) {
    auto pool = make_pool(make_keys(keys));
    int calls = 0;
    TimePoint now = kStart;
    for (; now < kStart + 10s; now += 100ms)
      calls += static_cast<int>(request(*pool, "m", now, [](std::int64_t) { return country_refused(); }).keys.size());
    EXPECT_TRUE(pool->outage().suspected);
    EXPECT_EQ(pool->outage().reason, "egress_region");
    EXPECT_GE(calls, 3 + 9);
    EXPECT_LE(calls, 3 + 12);
    EXPECT_EQ(pool->counts(now).active, static_cast<std::size_t>(keys));
    EXPECT_TRUE(request(*pool, "m", now + 1s, [](std::int64_t) { return good(); }).served);
    EXPECT_FALSE(pool->outage().suspected);
    EXPECT_TRUE(pool->select({}, now + 1s));
  }
}

TEST(OutageWaitsTest, RefusalsOfOurAddressWithASuccessOrAMinuteBetweenAreNoWave) {
  auto pool = make_pool(make_keys(3));
  for (int i = 0; i < 9; ++i) pool->select({}, kStart)->report(i % 3 == 2 ? good() : country_refused(), kStart);
  EXPECT_FALSE(pool->outage().suspected);
  for (int i = 0; i < 9; ++i) pool->select({}, kStart + i * 31s)->report(country_refused(), kStart + i * 31s);
  EXPECT_FALSE(pool->outage().suspected);
}

// Seven of twelve accounts without a model are no outage: let off once, they are believed when they say so again.
TEST(OutageWaitsTest, KeysThatRefuseAccessAgainAreBelieved) {
  for (const Verdict& refusal : {no_permission(), no_such_model()}) {
    auto pool = make_pool(make_keys(12));
    int wasted = 0;
    const auto answer = [&](std::int64_t key) { return key <= 7 ? refusal : good(); };
    TimePoint now = kStart;
    for (; now < kStart + 60s; now += 200ms) {
      const Asked asked = request(*pool, "m", now, answer);
      wasted += static_cast<int>(asked.keys.size()) - (asked.served ? 1 : 0);
    }
    EXPECT_LE(wasted, 3 * 7);
    EXPECT_EQ(request(*pool, "m", now, answer).keys.size(), 1U);
  }
}

// A model that no key has: each request hears it from the provider, from one key, and nobody is alerted.
TEST(OutageWaitsTest, AModelThatMostKeysLackIsAskedForOncePerRequest) {
  auto pool = make_pool(make_keys(12));
  const auto lacking = [](std::int64_t) { return no_such_model(); };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(request(*pool, "gone", kStart, lacking).keys.size(), 3U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(request(*pool, "gone", kStart, lacking).keys.size(), 1U);
  EXPECT_EQ(pool->outage().episodes, 0U);
  EXPECT_TRUE(request(*pool, "here", kStart, [](std::int64_t) { return good(); }).served);
}

// Attempts that began while the upstream was suspected say nothing about it once it answers again.
TEST(OutageWaitsTest, FailuresFromBeforeTheEndAreOldNews) {
  auto pool = make_pool(make_keys(12));
  std::vector<Result<KeyLease>> slow;
  for (std::int64_t id = 1; id <= 5; ++id) slow.push_back(take(*pool, id, 12, kStart));
  for (std::int64_t id = 6; id <= 11; ++id) take(*pool, id, 12, kStart)->report(cool(), kStart);
  ASSERT_TRUE(pool->outage().suspected);
  take(*pool, 12, 12, kStart + 1s)->report(good(), kStart + 1s);
  for (auto& lease : slow) lease->report(cool(), kStart + 2s);
  EXPECT_EQ(pool->counts(kStart + 2s).active, 12U);
}

TEST(OutageWaitsTest, OfTwoKeysBothFailAlike) {
  auto pool = make_pool(make_keys(2));
  for (std::int64_t id = 1; id <= 2; ++id) take(*pool, id, 2, kStart)->report(cool(), kStart);
  EXPECT_TRUE(pool->outage().suspected);
  EXPECT_EQ(pool->counts(kStart).active, 2U);
  for (const Verdict& own : {refused(), exhaust(), invalid()}) {
    auto two = make_pool(make_keys(2));
    for (std::int64_t id = 1; id <= 2; ++id) take(*two, id, 2, kStart)->report(own, kStart);
    EXPECT_FALSE(two->outage().suspected) << own.reason;
  }
}

}  // namespace
}  // namespace akr
