// A preview names the key that the next select() takes, and leaves no trace: two pools live through the same random
// events, one of them is asked before every request.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/select_preview.hpp"
#include "core/keys/selection/random_source.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {
namespace {

using namespace pool_test;

const KeyOutlook& of(const SelectPreview& preview, std::int64_t id) {
  return *std::find_if(preview.keys.begin(), preview.keys.end(),
                       [&](const auto& each) { return each.key.value == id; });
}

class PreviewTest : public testing::TestWithParam<PolicyEntry> {
 protected:
  static constexpr std::uint32_t kKeys = 40;

  struct Twin {
    std::shared_ptr<KeyPool> pool;
    std::vector<KeyLease> running;
  };

  void start(std::uint64_t seed) {
    random = Random(seed);
    now = kStart;
    // Above 16 keys least_* look at a sample only; above 64 a search for a model is remembered.
    keys = make_keys(seed % 4 == 0 ? 100 : seed % 2 == 0 ? kKeys : 9);
    for (UpstreamKey& key : keys) {
      key.weight = random.below(8) == 0 ? 0 : 1 + random.below(3);
      key.priority = static_cast<std::int32_t>(random.below(10) == 0);
      if (random.below(4) == 0) key.group = "g" + std::to_string(random.below(2));
      if (random.below(3) == 0) key.limits.rpm = 1 + random.below(6);
      if (random.below(3) == 0) key.limits.tpm = 100;
      if (random.below(3) == 0) key.limits.max_concurrency = 1 + random.below(2);
    }
    for (Twin* twin : {&asked, &left_alone}) {
      twin->running.clear();
      twin->pool = make_pool(keys, {.policy = std::string(GetParam().id), .outage_guard = seed % 3 == 0}, seed);
    }
  }

  void select() {
    std::vector<KeyId> tried;
    for (std::uint32_t i = random.below(4); i > 0; --i) tried.push_back(keys[random.below(count())].id);
    const char* const models[] = {"", "a", "b"};
    SelectTrace trace;
    const SelectRequest request{.tried = tried,
                                .model = models[random.below(3)],
                                .affinity = random.below(6),
                                .tokens = random.below(2) * 40,
                                .trace = &trace};
    const SelectPreview preview = asked.pool->preview(request, 100, now);
    ASSERT_EQ(preview.keys.size(), count());
    auto lease = asked.pool->select(request, now);
    ASSERT_EQ(lease.has_value(), !preview.error);
    EXPECT_EQ(trace.standings, preview.trace.standings);
    EXPECT_EQ(trace.affinity, preview.trace.affinity);
    EXPECT_EQ(trace.suspected, preview.trace.suspected);
    // select() wakes at most 32 keys at a time whose waits ended together; who looks at all of them wakes them all.
    if (count() > 32) left_alone.pool->counts(now);
    auto other = left_alone.pool->select(request, now);
    ASSERT_EQ(lease.has_value(), other.has_value());
    const auto taken = std::count_if(preview.keys.begin(), preview.keys.end(),
                                     [](const KeyOutlook& each) { return each.why == "taken"; });
    ASSERT_EQ(taken, lease ? 1 : 0);
    if (!lease) {
      EXPECT_EQ(preview.error->code, lease.error().code);
      EXPECT_EQ(preview.error->retry_after, lease.error().retry_after);
      ASSERT_EQ(lease.error().retry_after, other.error().retry_after);
      return;
    }
    ASSERT_EQ(lease->key().id, preview.trace.key);
    ASSERT_EQ(lease->key().id, other->key().id);
    EXPECT_EQ(trace.tier, preview.trace.tier);
    EXPECT_EQ(trace.trial, preview.trace.trial);
    asked.running.push_back(*std::move(lease));
    left_alone.running.push_back(*std::move(other));
  }

  void report() {
    if (asked.running.empty()) return;
    const std::size_t i = random.below(static_cast<std::uint32_t>(asked.running.size()));
    const Verdict verdicts[] = {
        good(),      good(),    good(),    cool(),      cool(Scope::kKeyModel),
        lacking(),   exhaust(), refused(), forbidden(), cool_for(std::chrono::seconds(random.below(100))),
        cool_for(5h)};
    const Verdict verdict = verdicts[random.below(11)];
    const std::uint32_t dice = random.below(4);
    const auto latency = std::chrono::milliseconds(1 + random.below(50));
    for (Twin* twin : {&asked, &left_alone}) {
      KeyLease& lease = twin->running[i];
      lease.report(verdict, now);
      lease.observe_latency(latency, now);
      if (dice == 0) lease.observe_remaining(0, 3s, now);
      if (dice == 1) lease.count_tokens(70, now);
      if (dice < 3) twin->running.erase(twin->running.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  // Of a model that half of all requests ask for, so that whole pools lack it.
  static Verdict lacking() {
    Verdict verdict = cool_for(600s, Scope::kKeyModel);
    verdict.lacks_model = true;
    return verdict;
  }

  void people() {
    if (random.below(2) == 0) {
      keys[random.below(count())].enabled = random.below(2) == 0;
      for (Twin* twin : {&asked, &left_alone}) twin->pool->replace_keys(keys);
    } else {
      const KeyId id = keys[random.below(count())].id;
      for (Twin* twin : {&asked, &left_alone}) twin->pool->reset({&id, 1}, now);
    }
  }

  void expect_same() {
    const PoolCounts a = asked.pool->counts(now);
    const PoolCounts b = left_alone.pool->counts(now);
    EXPECT_EQ(std::tie(a.active, a.cooling, a.exhausted, a.invalid, a.in_flight, a.limited, a.trial),
              std::tie(b.active, b.cooling, b.exhausted, b.invalid, b.in_flight, b.limited, b.trial));
    EXPECT_EQ(asked.pool->version(), left_alone.pool->version());
    EXPECT_EQ(rows(asked), rows(left_alone));
  }
  // What is kept over a restart, as text.
  std::vector<std::string> rows(Twin& twin) {
    std::vector<std::string> out;
    for (const KeyStateRecord& row : twin.pool->export_states(now, WallTime{})) {
      // That a wait is over is noticed by whoever looks at the key next.
      const bool over = row.next_try <= WallTime{} && !row.half_open && row.state != KeyState::kInvalid;
      const KeyState state = over ? KeyState::kActive : row.state;
      if (state == KeyState::kActive && row.failures + row.rate_level + row.quota_level + row.used_this_month == 0)
        continue;
      out.push_back(std::to_string(row.key.value) + " " + row.group + " " + row.model + " " +
                    std::string(to_string(state)) + " " + std::to_string(row.until.time_since_epoch().count()) + " " +
                    std::to_string(row.next_try.time_since_epoch().count()) + " " + std::to_string(row.failures) + " " +
                    std::to_string(row.used_this_month));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::uint32_t count() const { return static_cast<std::uint32_t>(keys.size()); }

  Random random{0};
  TimePoint now = kStart;
  std::vector<UpstreamKey> keys;
  Twin asked;
  Twin left_alone;
};

TEST_P(PreviewTest, NamesTheNextKeyAndChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    start(seed);
    for (int step = 0; step < 1200 && !HasFatalFailure(); ++step) {
      const std::uint32_t dice = random.below(100);
      if (dice < 50)
        select();
      else if (dice < 85)
        report();
      else if (dice < 96)
        now += std::chrono::milliseconds(random.below(8000));
      else if (dice < 97)
        now += std::chrono::seconds(random.below(4000));
      else
        people();
    }
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    expect_same();
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, PreviewTest,
                         testing::ValuesIn(selection_policies().begin(), selection_policies().end()),
                         [](const auto& each) { return std::string(each.param.id); });

TEST(PreviewTextTest, EachKeyHasItsOwnReason) {
  auto keys = make_keys(10);
  keys[0].enabled = false;
  keys[1].weight = 0;
  keys[2].readable = false;
  keys[3].limits.rpm = 1;
  keys[4].limits.max_concurrency = 1;
  keys[5].limits.tpm = 50;
  keys[9].priority = 1;
  auto pool = make_pool(keys, {.policy = "fill_first", .outage_guard = false});
  take(*pool, 4, 10, kStart).value().report(good(), kStart);
  const auto busy = take(*pool, 5, 10, kStart);
  take(*pool, 6, 10, kStart).value().count_tokens(20, kStart);
  take(*pool, 7, 10, kStart, "m").value().report(cool_for(30s, Scope::kKeyModel), kStart);
  const std::vector<KeyId> tried = {KeyId{8}};
  const auto preview = pool->preview({.tried = tried, .model = "m", .tokens = 40}, 100, kStart + 1s);
  ASSERT_FALSE(preview.error);
  EXPECT_EQ(preview.trace.key, KeyId{9});
  EXPECT_TRUE(preview.certain);
  EXPECT_EQ(preview.policy, "fill_first");
  const char* const expected[] = {"disabled",       "draining",      "unreadable", "limited", "busy",
                                  "too_few_tokens", "model_cooling", "tried",      "taken",   "lower_tier"};
  for (std::int64_t id = 1; id <= 10; ++id) EXPECT_EQ(of(preview, id).why, expected[id - 1]) << id;
  EXPECT_EQ(of(preview, 4).limit, "rpm");
  EXPECT_EQ(of(preview, 4).until, kStart + 60s);
  EXPECT_EQ(of(preview, 5).limit, "max_concurrency");
  EXPECT_EQ(of(preview, 6).limit, "tpm");
  EXPECT_EQ(of(preview, 7).until, kStart + 30s);
}

TEST(PreviewTextTest, WaitsAndTheirEnds) {
  auto pool = make_pool(make_keys(4), {.outage_guard = false});
  take(*pool, 1, 4, kStart).value().report(cool_for(30s), kStart);
  take(*pool, 2, 4, kStart).value().report(exhaust_for(600s), kStart);
  take(*pool, 3, 4, kStart).value().report(invalid(), kStart);
  take(*pool, 4, 4, kStart).value().report(cool_for(20s), kStart);
  auto preview = pool->preview({}, 100, kStart);
  ASSERT_TRUE(preview.error);
  EXPECT_EQ(preview.error->code, ErrorCode::kAllKeysCooling);
  EXPECT_EQ(preview.error->retry_after, 20);
  EXPECT_EQ(of(preview, 1).why, "cooling");
  EXPECT_EQ(of(preview, 1).until, kStart + 30s);
  EXPECT_EQ(of(preview, 2).why, "exhausted");
  EXPECT_EQ(of(preview, 2).until, kStart + 600s);
  EXPECT_EQ(of(preview, 3).why, "invalid");
  EXPECT_FALSE(of(preview, 3).until);
  preview = pool->preview({}, 2, kStart + 600s);
  EXPECT_EQ(preview.keys.size(), 2U);
  EXPECT_EQ(preview.keys_total, 4U);
  EXPECT_EQ(make_pool({})->preview({}, 100, kStart).error->code, ErrorCode::kNoKeysConfigured);
}

// A half-open key is named as a trial, and its trial does not begin: asking twice gives the same answer.
TEST(PreviewTextTest, ATrialIsAnnouncedButNotBegun) {
  auto pool = make_pool(make_keys(1));
  pool->select({}, kStart)->report(exhaust_for(60s), kStart);
  for (int i = 0; i < 3; ++i) {
    const auto preview = pool->preview({}, 100, kStart + 60s);
    ASSERT_FALSE(preview.error);
    EXPECT_TRUE(preview.trace.trial);
  }
  EXPECT_EQ(pool->counts(kStart + 60s).trial, 1U);
  SelectTrace trace;
  EXPECT_TRUE(pool->select({.trace = &trace}, kStart + 60s));
  EXPECT_TRUE(trace.trial);
}

// The shares of policies that draw lots are what a long run shows.
TEST(PreviewTextTest, SharesAreWhatALongRunShows) {
  for (const char* const policy : {"random", "latency"}) {
    auto pool = make_pool(make_keys(6), {.policy = policy});
    for (std::int64_t id = 1; id <= 5; ++id)
      take(*pool, id, 6, kStart).value().observe_latency(std::chrono::milliseconds(10 * id), kStart);
    const std::vector<KeyId> tried = {KeyId{6}};
    const auto preview = pool->preview({.tried = tried}, 100, kStart);
    EXPECT_FALSE(preview.certain);
    std::vector<int> taken(7);
    constexpr int kRuns = 20'000;
    for (int i = 0; i < kRuns; ++i) ++taken[static_cast<std::size_t>(pick(*pool, kStart, {.tried = tried}))];
    double sum = 0;
    for (std::int64_t id = 1; id <= 5; ++id) {
      ASSERT_TRUE(of(preview, id).share) << policy << id;
      sum += *of(preview, id).share;
      EXPECT_NEAR(*of(preview, id).share, taken[static_cast<std::size_t>(id)] / double{kRuns}, 0.02) << policy << id;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_FALSE(of(preview, 6).share);
    const std::vector<KeyId> but_one = {KeyId{1}, KeyId{2}, KeyId{3}, KeyId{4}, KeyId{5}};
    EXPECT_TRUE(pool->preview({.tried = but_one}, 100, kStart).certain);
  }
}

TEST(PreviewTextTest, LookingIsNoUseOfAConversation) {
  auto pool = make_pool(make_keys(5), {.policy = "sticky"});
  {
    auto lease = pool->select({.affinity = 1}, kStart);
    lease->report(good(), kStart);
    const auto preview = pool->preview({.affinity = 1}, 100, kStart + 299s);
    EXPECT_TRUE(preview.trace.affinity);
    EXPECT_EQ(preview.trace.key, lease->key().id);
  }
  EXPECT_FALSE(pool->preview({.affinity = 1}, 100, kStart + 300s).trace.affinity);
}

}  // namespace
}  // namespace akr
