// pool_test_support.hpp - what the pool's tests share: keys, times and verdicts in one word each.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/keys/key_pool.hpp"

namespace akr::pool_test {

using namespace std::chrono_literals;

inline const TimePoint kStart{std::chrono::hours(1000)};

inline UpstreamKey make_key(std::int64_t id) {
  UpstreamKey key;
  key.id = KeyId{id};
  key.secret = Secret("sk-" + std::to_string(id));
  return key;
}

inline std::vector<UpstreamKey> make_keys(std::int64_t count) {
  std::vector<UpstreamKey> keys;
  for (std::int64_t id = 1; id <= count; ++id) keys.push_back(make_key(id));
  return keys;
}

inline std::shared_ptr<KeyPool> make_pool(const std::vector<UpstreamKey>& keys, const PoolSettings& settings = {},
                                          std::uint64_t seed = 7) {
  auto pool = std::make_shared<KeyPool>(seed);
  if (!pool->configure(settings)) return nullptr;
  pool->replace_keys(keys);
  return pool;
}

inline Verdict good() { return {.key = KeyAction::kGood, .endpoint = EndpointEffect::kOk}; }
inline Verdict verdict(KeyAction action, std::string_view reason, Scope scope = Scope::kKey) {
  return {.key = action, .scope = scope, .retry = RetryAdvice::kNextKey, .reason = reason};
}
inline Verdict cool(Scope scope = Scope::kKey) { return verdict(KeyAction::kCool, "http_429", scope); }
inline Verdict cool_for(Duration hint, Scope scope = Scope::kKey) {
  Verdict v = cool(scope);
  v.cool_for = hint;
  return v;
}
inline Verdict exhaust() { return verdict(KeyAction::kExhaust, "http_402"); }
inline Verdict exhaust_for(Duration hint) {
  Verdict v = exhaust();
  v.cool_for = hint;
  return v;
}
inline Verdict refused() { return verdict(KeyAction::kSuspect, "http_401"); }
inline Verdict forbidden() { return verdict(KeyAction::kForbid, "http_403"); }
inline Verdict invalid() { return verdict(KeyAction::kInvalidate, "invalid_api_key"); }

// The key that a request gets, the attempt being over at once; 0 = none.
inline std::int64_t pick(KeyPool& pool, TimePoint now, const SelectRequest& request = {}) {
  auto lease = pool.select(request, now);
  return lease ? lease->key().id.value : 0;
}

// All keys but `id` as tried, so that the pool has to take that one.
inline Result<KeyLease> take(KeyPool& pool, std::int64_t id, std::int64_t count, TimePoint now,
                             std::string_view model = {}) {
  std::vector<KeyId> tried;
  for (std::int64_t other = 1; other <= count; ++other)
    if (other != id) tried.push_back(KeyId{other});
  return pool.select({.tried = tried, .model = model}, now);
}

inline KeyState state(KeyPool& pool, std::int64_t id, TimePoint now) { return pool.status(KeyId{id}, now)->state; }

}  // namespace akr::pool_test
