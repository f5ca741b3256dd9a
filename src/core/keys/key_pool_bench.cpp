// Figures to hold (single thread, release build): select + report at most 150 ns with 10 keys, and at most 300 ns with
// 1,000,000 keys of which 90 % cool.
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/large_vector.hpp"
#include "core/keys/key_pool.hpp"
#include "core/keys/selection/random_source.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {
namespace {

const TimePoint kNow{std::chrono::hours(1000)};

std::shared_ptr<KeyPool> make_pool(std::int64_t count, std::string_view policy, bool limited) {
  std::vector<UpstreamKey> keys(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    UpstreamKey& key = keys[static_cast<std::size_t>(i)];
    key.id = KeyId{i + 1};
    key.secret = Secret("sk-" + std::to_string(i));
    key.weight = 1 + static_cast<std::uint32_t>(i % 3);
    if (!limited) continue;
    // High enough never to be reached: the price is that of counting.
    key.limits = {.rpm = 4'000'000'000,
                  .tpm = 1ULL << 60,
                  .rpd = 4'000'000'000,
                  .max_concurrency = 1000,
                  .monthly_quota = 1ULL << 60};
  }
  auto pool = std::make_shared<KeyPool>(7);
  if (!pool->configure({.policy = std::string(policy), .outage_guard = false})) return nullptr;
  pool->replace_keys(keys);
  return pool;
}

// Nine keys of ten cool for an hour.
void cool_most(KeyPool& pool, std::int64_t count) {
  const Verdict cool{.key = KeyAction::kCool, .cool_for = std::chrono::hours(1), .reason = "http_429"};
  for (std::int64_t id = 1; id <= count; ++id)
    if (id % 10 != 0) pool.lease_for_validation(KeyId{id}, kNow)->report(cool, kNow);
}

void select_and_report(benchmark::State& state, KeyPool& pool, const SelectRequest& request) {
  const Verdict good{.key = KeyAction::kGood};
  TimePoint now = kNow;
  for (auto _ : state) {
    now += std::chrono::microseconds(10);
    auto lease = pool.select(request, now);
    lease->report(good, now);
    benchmark::DoNotOptimize(lease);
  }
}

void small(benchmark::State& state, std::string_view policy, bool limited) {
  auto pool = make_pool(10, policy, limited);
  select_and_report(state, *pool, {.tokens = limited ? 100U : 0U});
}

void large(benchmark::State& state, std::string_view policy, bool limited) {
  constexpr std::int64_t kKeys = 1'000'000;
  auto pool = make_pool(kKeys, policy, limited);
  cool_most(*pool, kKeys);
  select_and_report(state, *pool, {.tokens = limited ? 100U : 0U});
}

// What one load from a table of this many MiB costs when it waits for the one before: the yardstick of this machine.  A
// conversation's turn is a chain of at least three (conversation, slot, ready key), five with limits.
void dependent_load(benchmark::State& state) {
  struct alignas(64) Line {
    std::uint32_t next = 0;
  };
  LargeVector<Line> lines(static_cast<std::size_t>(state.range(0)) * 1024 * 1024 / sizeof(Line));
  std::vector<std::uint32_t> order(lines.size());
  std::iota(order.begin(), order.end(), 0U);
  Random random(9);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  for (std::size_t i = 0; i < order.size(); ++i) lines[order[i]].next = order[(i + 1) % order.size()];
  std::uint32_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(at = lines[at].next);
}
BENCHMARK(dependent_load)->Arg(1)->Arg(16)->Arg(256);

// Conversations that come back to the key they had.
void large_with_affinity(benchmark::State& state, bool limited) {
  constexpr std::int64_t kKeys = 1'000'000;
  constexpr std::uint32_t kConversations = 50'000;
  auto pool = make_pool(kKeys, "sticky", limited);
  cool_most(*pool, kKeys);
  const Verdict good{.key = KeyAction::kGood};
  for (std::uint64_t i = 1; i <= kConversations; ++i)
    pool->select({.affinity = i * 0x9e3779b97f4a7c15ULL}, kNow)->report(good, kNow);
  Random random(5);
  TimePoint now = kNow;
  for (auto _ : state) {
    now += std::chrono::microseconds(10);
    const std::uint64_t conversation = (1 + random.below(kConversations)) * 0x9e3779b97f4a7c15ULL;
    auto lease = pool->select({.affinity = conversation, .tokens = 100}, now);
    lease->report(good, now);
    benchmark::DoNotOptimize(lease);
  }
}
BENCHMARK_CAPTURE(large_with_affinity, plain, false)->Name("keys:1000000/sticky/affinity")->Iterations(1'000'000);
BENCHMARK_CAPTURE(large_with_affinity, limited, true)
    ->Name("keys:1000000/sticky/affinity/limits")
    ->Iterations(1'000'000);

// Model given, a few keys cooling for it, affinity, and the decision trace on.
void small_with_everything(benchmark::State& state) {
  auto pool = make_pool(10, "sticky", true);
  const Verdict cool{.key = KeyAction::kCool, .scope = Scope::kKeyModel, .cool_for = std::chrono::hours(1)};
  for (int i = 0; i < 2; ++i) pool->select({.model = "gpt-5"}, kNow)->report(cool, kNow);
  SelectTrace trace;
  select_and_report(state, *pool, {.model = "gpt-5", .affinity = 42, .tokens = 100, .trace = &trace});
}
BENCHMARK(small_with_everything);

void small_one_tried(benchmark::State& state) {
  auto pool = make_pool(10, "round_robin", false);
  const KeyId tried[] = {KeyId{3}};
  select_and_report(state, *pool, {.tried = tried});
}
BENCHMARK(small_one_tried);

[[maybe_unused]] const bool kRegistered = [] {
  for (const PolicyEntry& policy : selection_policies()) {
    for (const bool limited : {false, true}) {
      const std::string suffix = std::string(policy.id) + (limited ? "/limits" : "");
      benchmark::RegisterBenchmark(("keys:10/" + suffix).c_str(), small, policy.id, limited);
    }
  }
  for (const PolicyEntry& policy : selection_policies()) {
    for (const bool limited : {false, true}) {
      const std::string suffix = std::string(policy.id) + (limited ? "/limits" : "");
      benchmark::RegisterBenchmark(("keys:1000000/" + suffix).c_str(), large, policy.id, limited)
          ->Iterations(1'000'000);
    }
  }
  return true;
}();

}  // namespace
}  // namespace akr
