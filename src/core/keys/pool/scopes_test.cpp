// What a cooldown covers (D26): a key, a key for one model, a quota group, a group for one model.
#include <set>

#include <gtest/gtest.h>

#include "core/keys/pool/model_waits.hpp"
#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/select_preview.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {
namespace {

using namespace pool_test;

std::vector<UpstreamKey> grouped_keys() {
  auto keys = make_keys(6);  // 1-2 in "a", 3-4 in "b", 5-6 alone
  keys[0].group = keys[1].group = "a";
  keys[2].group = keys[3].group = "b";
  return keys;
}

// Scenario 17.
TEST(ScopesTest, ModelCooldownLeavesOtherModelsAlone) {
  auto pool = make_pool(make_keys(2));
  take(*pool, 1, 2, kStart, "a")->report(cool_for(60s, Scope::kKeyModel), kStart);
  EXPECT_FALSE(take(*pool, 1, 2, kStart + 59s, "a"));
  EXPECT_TRUE(take(*pool, 1, 2, kStart, "b"));
  EXPECT_TRUE(take(*pool, 1, 2, kStart));
  EXPECT_EQ(pool->status(KeyId{1}, kStart)->cooling_models, 1U);
  const TimePoint later = kStart + 60s;
  EXPECT_TRUE(take(*pool, 1, 2, later, "a"));
  EXPECT_EQ(pool->status(KeyId{1}, later)->cooling_models, 0U);
  take(*pool, 1, 2, later, "a")->report(cool_for(60s), later);  // the whole account
  EXPECT_FALSE(take(*pool, 1, 2, later + 59s, "b"));
}

TEST(ScopesTest, ModelScopeWithoutAModelCoversTheKey) {
  auto pool = make_pool(make_keys(2));
  take(*pool, 1, 2, kStart)->report(cool_for(60s, Scope::kKeyModel), kStart);
  EXPECT_FALSE(take(*pool, 1, 2, kStart, "a"));
}

TEST(ScopesTest, AllKeysCoolingForAModelNameTheSoonestEnd) {
  auto pool = make_pool(make_keys(3));
  for (std::int64_t id = 1; id <= 3; ++id)
    take(*pool, id, 3, kStart, "a")->report(cool_for(id * 10s, Scope::kKeyModel), kStart);
  SelectTrace trace;
  const auto answer = pool->select({.model = "a", .trace = &trace}, kStart);
  EXPECT_EQ(answer.error().code, ErrorCode::kAllKeysCooling);
  EXPECT_EQ(answer.error().retry_after, 10);
  EXPECT_EQ(trace.model_cooling, 3U);
  EXPECT_NE(pick(*pool, kStart, {.model = "b"}), 0);
  EXPECT_EQ(pick(*pool, kStart + 10s, {.model = "a"}), 1);
}

// llm-formats.md 4: a model that no key has access to is no rate limit.  The client was told to wait ten minutes for
// it.
TEST(ScopesTest, AModelThatNoKeyHasIsAskedForOncePerRequest) {
  for (const std::int64_t keys : {3, 500}) {
    auto pool = make_pool(make_keys(keys), {.outage_guard = false});
    Verdict lacking = cool_for(10min, Scope::kKeyModel);
    lacking.lacks_model = true;
    for (std::int64_t id = 1; id <= keys; ++id) pool->select({.model = "gone"}, kStart)->report(lacking, kStart);
    for (int i = 0; i < 3; ++i) {
      const KeyId foreseen = pool->preview({.model = "gone"}, 0, kStart).trace.key;
      auto lease = pool->select({.model = "gone"}, kStart);
      ASSERT_TRUE(lease);
      EXPECT_EQ(lease->key().id, foreseen);
      const KeyId tried = lease->key().id;
      EXPECT_EQ(pool->select({.tried = {&tried, 1}, .model = "gone"}, kStart).error().code, ErrorCode::kAllKeysCooling);
      lease->report(lacking, kStart);
    }
    auto lease = pool->select({.model = "gone"}, kStart);
    const KeyId lucky = lease->key().id;
    lease->report(good(), kStart);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pool->select({.model = "gone"}, kStart)->key().id, lucky);
  }
}

TEST(ScopesTest, AModelThatAKeyOnlyWaitsForIsWorthTheWait) {
  auto pool = make_pool(make_keys(3), {.outage_guard = false});
  Verdict lacking = cool_for(10min, Scope::kKeyModel);
  lacking.lacks_model = true;
  take(*pool, 1, 3, kStart, "m")->report(lacking, kStart);
  take(*pool, 2, 3, kStart, "m")->report(lacking, kStart);
  take(*pool, 3, 3, kStart, "m")->report(cool_for(30s, Scope::kKeyModel), kStart);
  EXPECT_EQ(pool->select({.model = "m"}, kStart).error().retry_after, 30);
  pool->reset_all(kStart);
  take(*pool, 1, 3, kStart, "m")->report(lacking, kStart);
  take(*pool, 2, 3, kStart, "m")->report(lacking, kStart);
  take(*pool, 3, 3, kStart)->report(cool_for(20s), kStart);  // busy with something else, and may have the model
  EXPECT_EQ(pool->select({.model = "m"}, kStart).error().code, ErrorCode::kAllKeysCooling);
}

// The search for a key that may serve the model is remembered, and forgotten as soon as one may.
TEST(ScopesTest, LargePoolCoolingForAModelAnswersExactly) {
  for (const PolicyEntry& policy : selection_policies()) {
    constexpr std::int64_t kKeys = 500;
    auto pool = make_pool(make_keys(kKeys), {.policy = std::string(policy.id), .outage_guard = false});
    std::set<std::int64_t> cooled;
    while (auto lease = pool->select({.model = "a"}, kStart)) {
      ASSERT_TRUE(cooled.insert(lease->key().id.value).second) << policy.id;
      lease->report(cool_for(1000s, Scope::kKeyModel), kStart);
    }
    EXPECT_EQ(cooled.size(), 500U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pool->select({.model = "a"}, kStart + 1s).error().retry_after, 999);
    const KeyId ids[] = {KeyId{77}};
    pool->reset(ids, kStart + 1s);
    EXPECT_EQ(pick(*pool, kStart + 1s, {.model = "a"}), 77);
    EXPECT_NE(pick(*pool, kStart + 1000s, {.model = "a"}), 0);
  }
}

TEST(ScopesTest, SuccessEndsTheModelsWaitAndItsEscalation) {
  auto pool = make_pool(make_keys(2));
  TimePoint now = kStart;
  for (const auto wait : {60s, 120s, 240s}) {
    take(*pool, 1, 2, now, "a")->report(cool(Scope::kKeyModel), now);
    EXPECT_FALSE(take(*pool, 1, 2, now + wait - 1s, "a"));
    now += wait;
  }
  take(*pool, 1, 2, now, "a")->report(good(), now);
  take(*pool, 1, 2, now, "a")->report(cool(Scope::kKeyModel), now);
  EXPECT_TRUE(take(*pool, 1, 2, now + 60s, "a"));
}

TEST(ScopesTest, AGroupSharesACooldownAndTheNextAttemptUsesAnother) {
  auto pool = make_pool(grouped_keys());
  auto lease = take(*pool, 1, 6, kStart);
  lease->report(cool(), kStart);
  const KeyId tried[] = {KeyId{1}};
  for (int i = 0; i < 50; ++i) ASSERT_GE(pick(*pool, kStart, {.tried = tried}), 3);
  EXPECT_EQ(state(*pool, 2, kStart), KeyState::kCooling);
  EXPECT_EQ(pool->counts(kStart).cooling, 2U);
  EXPECT_EQ(pool->counts(kStart + 60s).active, 6U);
}

TEST(ScopesTest, AGroupSharesAModelsCooldown) {
  auto pool = make_pool(grouped_keys());
  take(*pool, 1, 6, kStart, "m")->report(cool(Scope::kKeyModel), kStart);
  EXPECT_FALSE(take(*pool, 2, 6, kStart, "m"));
  EXPECT_TRUE(take(*pool, 2, 6, kStart, "n"));
  EXPECT_TRUE(take(*pool, 3, 6, kStart, "m"));
  EXPECT_TRUE(take(*pool, 2, 6, kStart + 60s, "m"));
}

TEST(ScopesTest, ABadCredentialIsNotTheGroups) {
  auto pool = make_pool(grouped_keys());
  take(*pool, 1, 6, kStart)->report(invalid(), kStart);
  EXPECT_EQ(state(*pool, 2, kStart), KeyState::kActive);
  take(*pool, 3, 6, kStart)->report(verdict(KeyAction::kInvalidate, "organization_disabled", Scope::kGroup), kStart);
  EXPECT_EQ(state(*pool, 4, kStart), KeyState::kInvalid);
  const KeyId ids[] = {KeyId{4}};
  pool->reset(ids, kStart);
  EXPECT_EQ(state(*pool, 3, kStart), KeyState::kActive);
}

TEST(ScopesTest, AnExhaustedGroupIsTriedByOneRequest) {
  auto pool = make_pool(grouped_keys());
  take(*pool, 1, 6, kStart)->report(exhaust(), kStart);
  const TimePoint now = kStart + 1h;
  auto trial = take(*pool, 1, 6, now);
  ASSERT_TRUE(trial);
  EXPECT_FALSE(take(*pool, 2, 6, now));
  trial->report(good(), now);
  EXPECT_TRUE(take(*pool, 2, 6, now));
}

// The trial of a group was lost with the key that ran it when that key was edited: the other keys of the group stayed
// out until somebody reset them.
TEST(ScopesTest, AGroupsTrialDoesNotDieWithItsKey) {
  const auto edited = [](int edit) {
    auto keys = grouped_keys();
    if (edit == 0) keys.erase(keys.begin());
    if (edit == 1) keys[0].secret = Secret("sk-new");
    if (edit == 2) keys[0].group = "b";
    return keys;
  };
  for (const char* model : {"", "m"}) {
    for (int edit = 0; edit < 3; ++edit) {
      auto pool = make_pool(grouped_keys());
      take(*pool, 1, 6, kStart, model)->report(verdict(KeyAction::kExhaust, "http_402", Scope::kKeyModel), kStart);
      const TimePoint now = kStart + 1h;
      auto trial = take(*pool, 1, 6, now, model);
      ASSERT_TRUE(trial);
      ASSERT_FALSE(take(*pool, 2, 6, now, model));
      pool->replace_keys(edited(edit));
      trial = KeyLease();
      EXPECT_TRUE(take(*pool, 2, 6, now, model)) << model << ' ' << edit;
    }
  }
}

TEST(ScopesTest, AGroupSharesItsLimits) {
  auto keys = grouped_keys();
  keys[0].limits.rpm = 5;
  keys[1].limits = {.rpm = 3, .max_concurrency = 2};
  auto pool = make_pool(keys);
  auto first = take(*pool, 1, 6, kStart);
  auto second = take(*pool, 2, 6, kStart);
  EXPECT_FALSE(take(*pool, 1, 6, kStart)) << "two at the same time";
  first = KeyLease();
  EXPECT_TRUE(take(*pool, 1, 6, kStart + 1s));
  second = KeyLease();
  EXPECT_FALSE(take(*pool, 2, 6, kStart + 2s)) << "three per minute";
  EXPECT_TRUE(take(*pool, 2, 6, kStart + 60s));
}

TEST(ScopesTest, GroupsAndModelsSurviveARestart) {
  const WallTime wall{std::chrono::hours(500'000)};
  auto pool = make_pool(grouped_keys());
  take(*pool, 1, 6, kStart)->report(cool_for(600s), kStart);
  take(*pool, 3, 6, kStart, "m")->report(cool_for(600s, Scope::kKeyModel), kStart);
  take(*pool, 5, 6, kStart, "m")->report(cool_for(600s, Scope::kKeyModel), kStart);
  const auto rows = pool->export_states(kStart, wall);
  auto next = make_pool(grouped_keys());
  const TimePoint other{9s};
  next->import_states(rows, other, wall + 100s);
  EXPECT_FALSE(take(*next, 2, 6, other + 499s));
  EXPECT_FALSE(take(*next, 4, 6, other, "m"));
  EXPECT_TRUE(take(*next, 4, 6, other, "n"));
  EXPECT_FALSE(take(*next, 5, 6, other, "m"));
  EXPECT_TRUE(take(*next, 6, 6, other, "m"));
  EXPECT_EQ(next->counts(other + 500s).active, 6U);
}

TEST(ScopesTest, ReplacingKeysKeepsGroupsAndModels) {
  auto keys = grouped_keys();
  auto pool = make_pool(keys);
  take(*pool, 1, 6, kStart)->report(cool_for(600s), kStart);
  take(*pool, 5, 6, kStart, "m")->report(cool_for(600s, Scope::kKeyModel), kStart);
  keys.erase(keys.begin());
  pool->replace_keys(keys);
  EXPECT_FALSE(take(*pool, 2, 6, kStart));
  EXPECT_FALSE(take(*pool, 5, 6, kStart, "m"));
}

TEST(ModelWaitsTest, AreBounded) {
  ModelWaits waits;
  for (std::size_t i = 0; i < ModelWaits::kMost + 1000; ++i)
    waits.open(PairOwner::of(KeyId{static_cast<std::int64_t>(i)}), ModelTag("m"), kStart).health.until = kStart + 60s;
  EXPECT_EQ(waits.size(), ModelWaits::kMost);
  waits.open(PairOwner::of(KeyId{-7}), ModelTag("m"), kStart + 2h);
  EXPECT_EQ(waits.size(), 1U) << "waits that were over for an hour go first";
}

TEST(ModelTagTest, LongNamesThatBeginAlikeAreTwoModels) {
  const std::string stem(80, 'x');
  EXPECT_NE(ModelTag(stem + "a").hash(), ModelTag(stem + "b").hash());
  EXPECT_EQ(ModelTag("").hash(), 0U);
}

}  // namespace
}  // namespace akr
