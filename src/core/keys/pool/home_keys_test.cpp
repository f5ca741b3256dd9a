// D23: two things that a request names together must have been made with one key.  An access key's things were made
// with whichever key was next, so that flows that need two of them failed with 409 in every pool of two keys.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/keys/home_rank.hpp"
#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/pool/refusal.hpp"

namespace akr {
namespace {

using namespace pool_test;

std::uint64_t who(int i) { return stable_hash("access-key-" + std::to_string(i)); }

std::int64_t home(KeyPool& pool, int i, TimePoint now = kStart) { return pick(pool, now, {.home = who(i)}); }

void report(KeyPool& pool, std::int64_t id, const Verdict& verdict, TimePoint now, std::string_view model = {}) {
  auto lease = pool.select_exactly(KeyId{id}, {.model = model}, now);
  ASSERT_TRUE(lease);
  lease->report(verdict, now);
}

TEST(Home, IsOneKeyUnderEveryPolicyAndInEveryProcess) {
  std::map<int, std::int64_t> homes;
  for (const char* policy : {"round_robin", "random", "weighted", "least_used", "sticky", "fill_first"}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const auto pool = make_pool(make_keys(20), {.policy = policy}, seed);
      if (pool == nullptr) continue;  // no such policy
      for (int i = 0; i < 50; ++i) {
        const std::int64_t key = home(*pool, i);
        const auto [known, first] = homes.try_emplace(i, key);
        EXPECT_EQ(known->second, key) << policy << ' ' << i;
        pick(*pool, kStart);  // ordinary requests between
      }
    }
  }
  std::set<std::int64_t> used;
  for (const auto& [i, key] : homes) used.insert(key);
  EXPECT_GT(used.size(), 10U);
}

TEST(Home, ThatIsOutIsReplacedByTheSameOtherOneUntilItIsBack) {
  const auto pool = make_pool(make_keys(20), {.outage_guard = false});
  const std::int64_t own = home(*pool, 1);
  report(*pool, own, cool_for(60s), kStart);
  const std::int64_t other = home(*pool, 1);
  EXPECT_NE(other, own);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(home(*pool, 1), other);
  EXPECT_EQ(home(*pool, 1, kStart + 60s), own);
}

// More were out than are remembered: then every usable key is looked at.
TEST(Home, IsFoundHoweverManyAreOut) {
  const auto pool = make_pool(make_keys(20), {.outage_guard = false});
  std::set<std::int64_t> out;
  for (int i = 0; i < 19; ++i) {
    const std::int64_t key = home(*pool, 1);
    ASSERT_TRUE(out.insert(key).second);
    EXPECT_EQ(home(*pool, 1), key);
    report(*pool, key, cool_for(60s), kStart);
  }
  EXPECT_NE(home(*pool, 1), 0);
  report(*pool, home(*pool, 1), cool_for(60s), kStart);
  EXPECT_EQ(home(*pool, 1), 0);
}

TEST(Home, StaysWhenOtherKeysComeAndGo) {
  auto keys = make_keys(40);
  const auto pool = make_pool(keys);
  std::map<int, std::int64_t> before;
  for (int i = 0; i < 200; ++i) before[i] = home(*pool, i);
  ASSERT_TRUE(pool->append_keys(std::vector<UpstreamKey>{make_key(41), make_key(42)}));
  int moved = 0;
  for (int i = 0; i < 200; ++i) {
    const std::int64_t now = home(*pool, i);
    if (now == before[i]) continue;
    ++moved;
    EXPECT_GT(now, 40);
  }
  EXPECT_LT(moved, 40);
  keys.erase(keys.begin());  // and without 41 and 42
  pool->replace_keys(keys);
  for (int i = 0; i < 200; ++i) {
    if (before[i] != 1) EXPECT_EQ(home(*pool, i), before[i]);
  }
}

TEST(Home, IsInTheBestTierThatHasAKey) {
  auto keys = make_keys(10);
  for (std::size_t i = 0; i < 8; ++i) keys[i].priority = 1;
  const auto pool = make_pool(keys, {.outage_guard = false});
  for (int i = 0; i < 20; ++i) EXPECT_GT(home(*pool, i), 8);
  report(*pool, 9, cool_for(60s), kStart);
  report(*pool, 10, cool_for(60s), kStart);
  std::set<std::int64_t> lower;
  for (int i = 0; i < 20; ++i) lower.insert(home(*pool, i));
  EXPECT_LE(*lower.rbegin(), 8);
  EXPECT_GT(lower.size(), 3U);
}

TEST(Home, KeepsToModelsLimitsAndWhatTheRequestTried) {
  auto keys = make_keys(4);
  for (UpstreamKey& key : keys) key.limits.tpm = 100;
  const auto pool = make_pool(keys, {.outage_guard = false});
  const std::int64_t own = home(*pool, 1);
  const KeyId tried[] = {KeyId{own}};
  EXPECT_NE(pick(*pool, kStart, {.tried = tried, .home = who(1)}), own);
  report(*pool, own, cool_for(60s, Scope::kKeyModel), kStart, "m");
  EXPECT_NE(pick(*pool, kStart, {.model = "m", .home = who(1)}), own);
  EXPECT_EQ(pick(*pool, kStart, {.model = "n", .home = who(1)}), own);
  EXPECT_EQ(pick(*pool, kStart, {.home = who(1), .tokens = 90}), own);
  EXPECT_NE(pick(*pool, kStart, {.home = who(1), .tokens = 90}), own);
}

TEST(Home, ThatIsDisabledOrDrainedIsNone) {
  auto keys = make_keys(5);
  const auto pool = make_pool(keys);
  const std::int64_t own = home(*pool, 1);
  keys[static_cast<std::size_t>(own - 1)].enabled = false;
  pool->replace_keys(keys);
  const std::int64_t second = home(*pool, 1);
  EXPECT_NE(second, own);
  keys[static_cast<std::size_t>(second - 1)].weight = 0;
  pool->replace_keys(keys);
  EXPECT_NE(home(*pool, 1), own);
  EXPECT_NE(home(*pool, 1), second);
}

TEST(Home, IsToldInTheTraceAndForeseen) {
  const auto pool = make_pool(make_keys(20), {.policy = "random"});
  SelectTrace trace;
  const auto lease = pool->select({.home = who(1), .trace = &trace}, kStart);
  ASSERT_TRUE(lease);
  EXPECT_TRUE(trace.home);
}

// Keys of one account: when the home is out, the next one is of its account.
TEST(Home, IsAnAccountIfItsKeysHaveOne) {
  auto keys = make_keys(12);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i].account = "org-" + std::to_string(i % 3);
  const auto pool = make_pool(keys, {.outage_guard = false});
  for (int i = 0; i < 10; ++i) {
    const auto now = kStart + i * std::chrono::hours(1);
    const std::int64_t own = home(*pool, i, now);
    for (std::int64_t last = own, n = 0; n < 3; ++n) {
      report(*pool, last, cool_for(60s), now);
      last = home(*pool, i, now);
      EXPECT_EQ(last % 3, own % 3);
    }
  }
}

class Account : public testing::Test {
 protected:
  // 1, 3, 5 are of one account, 2 and 4 of another, 6 of none.
  Account() {
    for (std::size_t i = 0; i < 5; ++i) keys_[i].account = i % 2 == 0 ? "odd" : "even";
    pool_ = make_pool(keys_, {.outage_guard = false});
  }
  std::int64_t take(std::int64_t id, const SelectRequest& request = {}) {
    const auto lease = pool_->select_exactly(KeyId{id}, request, kStart);
    return lease ? lease->key().id.value : 0;
  }

  std::vector<UpstreamKey> keys_ = make_keys(6);
  std::shared_ptr<KeyPool> pool_;
};

TEST_F(Account, AnotherKeyOfItServesWhatOneMadeThatIsOut) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take(3), 3);  // the maker itself, as long as it can
  report(*pool_, 3, cool_for(60s), kStart);
  const std::int64_t second = take(3);
  EXPECT_TRUE(second == 1 || second == 5) << second;
  EXPECT_EQ(take(3), second);
  report(*pool_, second, invalid(), kStart);
  const std::int64_t third = take(3);
  EXPECT_EQ(third + second, 6);
  report(*pool_, third, cool_for(30s), kStart);
  const auto refused = pool_->select_exactly(KeyId{3}, {}, kStart);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPinnedKeyUnavailable);
  EXPECT_EQ(refused.error().retry_after, 30) << "the soonest of them";
  EXPECT_NE(refused.error().message.find("no other key of its account"), std::string::npos) << refused.error().message;
}

TEST_F(Account, NobodyElseDoes) {
  report(*pool_, 6, cool_for(60s), kStart);
  EXPECT_EQ(take(6), 0);
  report(*pool_, 2, cool_for(60s), kStart);
  EXPECT_EQ(take(2), 4);
  report(*pool_, 4, cool_for(60s), kStart);
  EXPECT_EQ(take(2), 0);
}

TEST_F(Account, ServesWhatAKeyMadeThatIsGone) {
  const auto lease = pool_->select_exactly(KeyId{2}, {}, kStart);
  ASSERT_TRUE(lease);
  const std::uint64_t account = lease->account();
  keys_.erase(keys_.begin() + 1);
  pool_->replace_keys(keys_);
  EXPECT_FALSE(pool_->has(KeyId{2}));
  EXPECT_TRUE(pool_->has_account(account));
  EXPECT_EQ(pool_->account_of(KeyId{2}, account), account);
  EXPECT_EQ(take(2, {.account = account}), 4);
  EXPECT_EQ(take(2), 0);
}

// Whoever's maker is gone and whose other keys are all switched off was told that the provider had refused it.
TEST_F(Account, WithoutAKeyThatMayBeAskedHasNothingLeft) {
  const auto lease = pool_->select_exactly(KeyId{2}, {}, kStart);
  ASSERT_TRUE(lease);
  const std::uint64_t account = lease->account();
  keys_[3].enabled = false;
  keys_.erase(keys_.begin() + 1);
  pool_->replace_keys(keys_);
  const auto refused = pool_->select_exactly(KeyId{2}, {.account = account}, kStart);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, pinned_key_deleted().message);
}

TEST_F(Account, OfARequestThatTriedTheMakerIsTriedFurther) {
  const KeyId tried[] = {KeyId{2}, KeyId{4}};
  EXPECT_EQ(take(2, {.tried = std::span(tried).first(1)}), 4);
  EXPECT_EQ(take(2, {.tried = tried}), 2) << "the same again, if there is no other";
  EXPECT_EQ(take(2, {.tried = tried, .others_only = true}), 0);
  const KeyId alone[] = {KeyId{6}};
  EXPECT_EQ(take(6, {.tried = alone}), 6);
}

// 300 disabled keys of an account hid those that could serve, and a key of a lower tier was taken before one of the
// best (kind: a bound on what is looked at counts what can be taken).
TEST(AccountOfMany, IsLookedThroughPastItsDisabledKeysAndByTier) {
  auto keys = make_keys(304);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i].account = "org";
    keys[i].enabled = i == 0 || i >= 301;
    keys[i].priority = i == 301 ? 1 : 0;
  }
  const auto pool = make_pool(keys, {.outage_guard = false});
  const auto take = [&] {
    const auto lease = pool->select_exactly(KeyId{1}, {}, kStart);
    return lease ? lease->key().id.value : 0;
  };
  report(*pool, 1, cool_for(60s), kStart);
  std::set<std::int64_t> best = {303, 304};
  for (int i = 0; i < 2; ++i) {
    const std::int64_t taken = take();
    EXPECT_EQ(best.erase(taken), 1U) << taken;
    report(*pool, taken, cool_for(60s), kStart);
  }
  EXPECT_EQ(take(), 302);
}

// Accounts are no part of what can be appended cheaply.
TEST_F(Account, KeysOfOneAreNotAppended) {
  UpstreamKey more = make_key(7);
  EXPECT_TRUE(pool_->append_keys({&more, 1}));
  EXPECT_EQ(pool_->account_of(KeyId{7}, 0), 0U);
  EXPECT_EQ(take(7), 7);
  more = make_key(8);
  more.account = "even";
  EXPECT_FALSE(pool_->append_keys({&more, 1}));
}

}  // namespace
}  // namespace akr
