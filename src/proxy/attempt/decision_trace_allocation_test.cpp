// The figure of issue 3: tracing costs a request that succeeds no allocation.  Counted in the choice, the report and
// the trace together.
#include "proxy/attempt/decision_trace.hpp"

#ifndef AKR_SANITIZED  // their operator new stays theirs

#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "core/keys/selection/registry.hpp"

namespace {
thread_local std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace akr {
namespace {

using namespace pool_test;

// As proxy/attempt/attempts does it: `refusals` keys say no, the next one serves.
void serve(KeyPool& pool, int refusals, TimePoint now) {
  DecisionTrace trace;
  KeyId tried[4];
  std::size_t attempts = 0;
  for (int left = refusals; left >= 0; --left) {
    auto lease = pool.select({.tried = {tried, attempts}, .model = "gpt-5", .trace = &trace.next_choice()}, now);
    ASSERT_TRUE(lease);
    tried[attempts++] = lease->key().id;
    trace.took(lease->key().fingerprint);
    const Verdict outcome = left > 0 ? Verdict{.retry = RetryAdvice::kSameKey, .reason = "http_503"} : good();
    lease->report(outcome, now);
    trace.ended(left > 0 ? 503 : 200, outcome, -1);
  }
  ASSERT_FALSE(trace.lost());
}

std::size_t allocations_per_thousand(KeyPool& pool, int refusals) {
  TimePoint now = kStart;
  for (int i = 0; i < 100; ++i) serve(pool, refusals, now += 1ms);
  const std::size_t before = allocations;
  for (int i = 0; i < 1000; ++i) serve(pool, refusals, now += 1ms);
  return allocations - before;
}

TEST(DecisionTraceAllocation, ARequestThatSucceedsAllocatesNothing) {
  for (const PolicyEntry& policy : selection_policies()) {
    auto pool = make_pool(make_keys(10), {.policy = std::string(policy.id)});
    EXPECT_EQ(allocations_per_thousand(*pool, 0), 0U) << policy.id;
  }
}

TEST(DecisionTraceAllocation, NorDoesOneThatSucceedsWithItsSecondKey) {
  auto pool = make_pool(make_keys(10));
  EXPECT_EQ(allocations_per_thousand(*pool, 1), 0U);
}

TEST(DecisionTraceAllocation, TheCounterCounts) {
  const std::size_t before = allocations;
  delete new int(7);
  auto text = std::make_unique<std::string>(100, 'x');
  EXPECT_GE(allocations - before, 2U);
}

}  // namespace
}  // namespace akr

#endif
