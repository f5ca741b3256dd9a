// What people are told about the models that a key waits for, in the words that a preview and a trace use.
//
// Kind: a count where a person needs the reason.  The key list said `cooling_models: 1`, and nobody could tell which
// model, why, or until when.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/select_preview.hpp"

namespace akr {
namespace {

using namespace pool_test;

Verdict no_model() {
  Verdict lacks = verdict(KeyAction::kCool, "model_not_found", Scope::kKeyModel);
  lacks.cool_for = 600s;
  lacks.lacks_model = true;
  return lacks;
}

const ModelWaitStatus* wait_of(const KeyStatus& status, std::string_view model) {
  const auto it = std::ranges::find(status.model_waits, model, &ModelWaitStatus::model);
  return it == status.model_waits.end() ? nullptr : &*it;
}

TEST(ModelWaitStatusTest, SaysWhichModelWhyAndUntilWhen) {
  auto pool = make_pool(make_keys(2), {.outage_guard = false});
  take(*pool, 1, 2, kStart, "a").value().report(cool_for(30s, Scope::kKeyModel), kStart);
  take(*pool, 1, 2, kStart, "b").value().report(no_model(), kStart);
  take(*pool, 1, 2, kStart, "c").value().observe_remaining(0, 20s, kStart);
  const auto status = pool->status(KeyId{1}, kStart);
  EXPECT_EQ(status->state, KeyState::kActive);
  EXPECT_EQ(status->cooling_models, 3U);
  ASSERT_EQ(status->model_waits.size(), 3U);
  const std::tuple<const char*, const char*, Duration> expected[] = {
      {"a", "http_429", 30s}, {"b", "model_not_found", 600s}, {"c", "paced", 20s}};
  for (const auto& [model, reason, wait] : expected) {
    const ModelWaitStatus* told = wait_of(*status, model);
    ASSERT_NE(told, nullptr) << model;
    EXPECT_EQ(told->reason, reason);
    EXPECT_EQ(told->until, kStart + wait);
  }
  EXPECT_TRUE(pool->status(KeyId{2}, kStart)->model_waits.empty());
  EXPECT_EQ(pool->status(KeyId{1}, kStart + 25s)->model_waits.size(), 2U) << "one is over";
}

// The longer of two waits is the one that counts, and it gives the reason.
TEST(ModelWaitStatusTest, TellsTheWaitThatEndsLast) {
  auto pool = make_pool(make_keys(2), {.outage_guard = false});
  {
    auto lease = take(*pool, 1, 2, kStart, "a");
    lease->report(cool_for(30s, Scope::kKeyModel), kStart);
    lease->observe_remaining(0, 50s, kStart);
  }
  const auto told = pool->status(KeyId{1}, kStart)->model_waits;
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].reason, "paced");
  EXPECT_EQ(told[0].until, kStart + 50s);
}

TEST(ModelWaitStatusTest, AKeyOfAGroupShowsTheWaitsOfItsGroup) {
  auto keys = make_keys(3);
  keys[0].group = keys[1].group = "account";
  auto pool = make_pool(keys, {.outage_guard = false});
  take(*pool, 1, 3, kStart, "a").value().report(cool_for(30s, Scope::kKeyModel), kStart);
  for (const std::int64_t id : {1, 2}) {
    const auto status = pool->status(KeyId{id}, kStart);
    ASSERT_EQ(status->model_waits.size(), 1U) << id;
    EXPECT_EQ(status->model_waits[0].model, "a");
    EXPECT_EQ(status->model_waits[0].reason, "http_429");
  }
  EXPECT_TRUE(pool->status(KeyId{3}, kStart)->model_waits.empty());
}

TEST(ModelWaitStatusTest, APreviewAndATraceUseTheSameWords) {
  auto pool = make_pool(make_keys(3), {.policy = "fill_first", .outage_guard = false});
  take(*pool, 1, 3, kStart, "a").value().report(no_model(), kStart);
  take(*pool, 2, 3, kStart).value().report(cool_for(30s), kStart);
  const SelectPreview preview = pool->preview({.model = "a"}, 10, kStart);
  const auto waits = pool->status(KeyId{1}, kStart)->model_waits;
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_EQ(preview.keys[0].why, "model_cooling");
  EXPECT_EQ(preview.keys[0].reason, waits[0].reason);
  EXPECT_EQ(preview.keys[0].until, waits[0].until);
  EXPECT_EQ(preview.keys[1].why, "cooling");
  EXPECT_EQ(preview.keys[1].reason, pool->status(KeyId{2}, kStart)->reason);
  EXPECT_EQ(preview.keys[2].reason, "");
  SelectTrace trace;
  ASSERT_TRUE(pool->select({.model = "a", .trace = &trace}, kStart));
  EXPECT_EQ(trace.model_cooling, 1U);
  EXPECT_EQ(trace.model_reason, waits[0].reason);
  ASSERT_TRUE(pool->select({.model = "b", .trace = &trace}, kStart));
  EXPECT_EQ(trace.model_reason, "");
}

// What is told is copied under the pool's lock, so there is an end to it; the count goes further.
TEST(ModelWaitStatusTest, ToldIsABoundedPart) {
  auto pool = make_pool(make_keys(1));
  std::vector<KeyStateRecord> rows;
  for (int i = 0; i < 1500; ++i) {
    rows.push_back({.key = KeyId{1},
                    .model = "m" + std::to_string(i),
                    .state = KeyState::kCooling,
                    .reason = "http_429",
                    .until = WallTime{} + 60s,
                    .next_try = WallTime{} + 60s});
  }
  pool->import_states(rows, kStart, WallTime{});
  const auto status = pool->status(KeyId{1}, kStart);
  EXPECT_EQ(status->cooling_models, 1000U);
  EXPECT_EQ(status->model_waits.size(), 100U);
}

// Kind: text of the store in a header.  A reason goes into the trace as it is.
TEST(ModelWaitStatusTest, AReasonOfTheStoreIsACodeOrNothing) {
  auto pool = make_pool(make_keys(1));
  const KeyStateRecord row{.key = KeyId{1},
                           .model = "m",
                           .state = KeyState::kCooling,
                           .reason = "x\"\r\nevil: 1",
                           .until = WallTime{} + 60s,
                           .next_try = WallTime{} + 60s};
  pool->import_states({&row, 1}, kStart, WallTime{});
  EXPECT_EQ(pool->status(KeyId{1}, kStart)->model_waits.at(0).reason, "restored");
}

}  // namespace
}  // namespace akr
