// One certain key: the same rules as for any other, and when it comes back.
#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"

namespace akr {
namespace {

using namespace pool_test;

class PoolExact : public testing::Test {
 protected:
  Error refused(std::int64_t id, TimePoint now, std::string_view model = {}) {
    auto lease = pool_->select_exactly(KeyId{id}, {.model = model}, now);
    EXPECT_FALSE(lease);
    EXPECT_EQ(lease ? ErrorCode::kInternal : lease.error().code, ErrorCode::kPinnedKeyUnavailable);
    return lease ? Error{} : lease.error();
  }
  bool served(std::int64_t id, TimePoint now, std::string_view model = {}) {
    auto lease = pool_->select_exactly(KeyId{id}, {.model = model}, now);
    return lease && lease->key().id == KeyId{id};
  }
  void report(std::int64_t id, const Verdict& verdict, TimePoint now, std::string_view model = {}) {
    auto lease = pool_->select_exactly(KeyId{id}, {.model = model}, now);
    ASSERT_TRUE(lease);
    lease->report(verdict, now);
  }

  std::shared_ptr<KeyPool> pool_ = make_pool(make_keys(3));
};

TEST_F(PoolExact, TakesTheKeyAgainAndAgainEvenIfTried) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(served(2, kStart));
  const KeyId tried[] = {KeyId{2}};
  SelectTrace trace;
  auto lease = pool_->select_exactly(KeyId{2}, {.tried = tried, .trace = &trace}, kStart);
  ASSERT_TRUE(lease);
  EXPECT_EQ(trace.key, KeyId{2});
  EXPECT_TRUE(trace.pinned);
  EXPECT_EQ(pool_->counts(kStart).in_flight, 1U);
}

TEST_F(PoolExact, SaysWhenACoolingKeyComesBack) {
  report(2, cool_for(90s), kStart);
  EXPECT_EQ(refused(2, kStart).retry_after, 90);
  EXPECT_EQ(refused(2, kStart + 60s).retry_after, 30);
  EXPECT_TRUE(served(1, kStart));
  EXPECT_TRUE(served(2, kStart + 90s));
}

TEST_F(PoolExact, AModelThatWaitsStopsOnlyItself) {
  report(2, cool_for(90s, Scope::kKeyModel), kStart, "a");
  const Error error = refused(2, kStart, "a");
  EXPECT_EQ(error.retry_after, 90);
  EXPECT_NE(error.message.find("model"), std::string::npos);
  EXPECT_TRUE(served(2, kStart, "b"));
  EXPECT_TRUE(served(2, kStart));
}

TEST_F(PoolExact, WhatNoClockEndsHasNoHint) {
  report(1, invalid(), kStart);
  EXPECT_EQ(refused(1, kStart).retry_after, 0);
  auto keys = make_keys(3);
  keys[1].enabled = false;
  keys[2].weight = 0;
  pool_->replace_keys(keys);
  EXPECT_EQ(refused(2, kStart).retry_after, 0);
  EXPECT_NE(refused(2, kStart).message.find("disabled"), std::string::npos);
  EXPECT_EQ(refused(3, kStart).retry_after, 0);
  EXPECT_EQ(refused(99, kStart).retry_after, 0);
  EXPECT_NE(refused(99, kStart).message.find("deleted"), std::string::npos);
}

TEST_F(PoolExact, KeepsTheLimits) {
  auto keys = make_keys(2);
  keys[0].limits.rpm = 1;
  keys[1].limits.max_concurrency = 1;
  pool_->replace_keys(keys);
  EXPECT_TRUE(served(1, kStart));
  EXPECT_EQ(refused(1, kStart + 10s).retry_after, 50);
  auto running = pool_->select_exactly(KeyId{2}, {}, kStart);
  ASSERT_TRUE(running);
  EXPECT_EQ(refused(2, kStart).retry_after, 1);
  *running = KeyLease();
  EXPECT_TRUE(served(2, kStart));
}

// A key whose minute had too few tokens left was "not usable" without a hint when it would be.
TEST_F(PoolExact, SaysWhenTheTokensOfARequestFit) {
  auto keys = make_keys(1);
  keys[0].limits.tpm = 100;
  pool_->replace_keys(keys);
  const auto take = [&](std::uint32_t tokens, TimePoint now) {
    return pool_->select_exactly(KeyId{1}, {.tokens = tokens}, now);
  };
  EXPECT_TRUE(take(40, kStart));
  EXPECT_TRUE(take(30, kStart + 20s));
  const auto refused = take(50, kStart + 30s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPinnedKeyUnavailable);
  EXPECT_NE(refused.error().message.find("tokens per minute"), std::string::npos) << refused.error().message;
  EXPECT_EQ(refused.error().retry_after, 30);                   // then the 40 are over
  EXPECT_EQ(take(90, kStart + 30s).error().retry_after, 50);    // and then the 30
  EXPECT_EQ(take(1000, kStart + 30s).error().retry_after, 50);  // more than a minute has: alone in its own
  EXPECT_TRUE(take(30, kStart + 30s));
  EXPECT_TRUE(take(40, kStart + 60s));
}

TEST_F(PoolExact, OneTrialAtATime) {
  report(2, exhaust(), kStart);
  EXPECT_EQ(refused(2, kStart).retry_after, 3600);
  const TimePoint later = kStart + 3600s;
  auto trial = pool_->select_exactly(KeyId{2}, {}, later);
  ASSERT_TRUE(trial);
  EXPECT_EQ(refused(2, later).retry_after, 1);
  trial->report(good(), later);
  EXPECT_TRUE(served(2, later));
}

TEST_F(PoolExact, WaitsForTheOutageGuardLikeAllOthers) {
  for (std::int64_t id = 1; id <= 3; ++id) report(id, cool(), kStart);
  ASSERT_TRUE(pool_->outage().suspected);
  EXPECT_TRUE(served(2, kStart + 1s));
  EXPECT_EQ(refused(2, kStart + 1s).retry_after, 1);
}

}  // namespace
}  // namespace akr
