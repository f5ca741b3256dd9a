// scripted_keys.hpp - what failover tests share: upstreams that answer by key, keys as an operator sets them up, and a
// pool whose time the test moves.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/llm_streams.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr::test {

// 7 for "Bearer upstream-key-007"; 0 = no key.
inline int key_number(const SeenRequest& request) {
  const std::string value = request.field("authorization");
  return value.size() < 3 ? 0 : std::stoi(value.substr(value.size() - 3));
}
inline int key_number(const UpstreamCall& call) { return key_number(call.request()); }

inline void answer_ok(UpstreamCall& call) { call.answer(200, "{}", kJson); }

// The key with this number answers badly, the others well.
inline FakeUpstream::Script only_key(int bad, int status, std::string body, std::string fields = {}) {
  return [=](UpstreamCall& call) { key_number(call) == bad ? call.answer(status, body, fields) : answer_ok(call); };
}

// Keys that nobody blamed, with no request left in flight.
inline void expect_untouched(ProxyUnderTest& proxy, int keys) {
  for (int i = 1; i <= keys; ++i) {
    const KeyStatus status = proxy.status(i);
    EXPECT_EQ(status.state, KeyState::kActive) << i;
    EXPECT_EQ(status.consecutive_failures, 0U) << i;
    EXPECT_EQ(status.reason, "") << i;
    EXPECT_TRUE(eventually([&] { return proxy.status(i).in_flight == 0; }, std::chrono::seconds(2))) << i;
  }
}

// The keys of a ProxyUnderTest, to be changed and handed to its pool().replace_keys().
inline std::vector<UpstreamKey> operator_keys(int count) {
  std::vector<UpstreamKey> keys;
  for (int i = 1; i <= count; ++i)
    keys.push_back({.id = KeyId{i}, .service = ServiceId{1}, .secret = Secret(ProxyUnderTest::key(i))});
  return keys;
}

// A pool's time never goes back: once told a later one, it stands there until the real time has come that far.  So a
// test over real sockets may let hours pass in no time.  Standing still, it makes rates exact, too.
class PoolClock {
 public:
  explicit PoolClock(KeyPool& pool) : pool_(pool), now_(std::chrono::steady_clock::now() + std::chrono::hours(1)) {
    pool_.counts(now_);
  }
  void pass(Duration time) {
    now_ += time;
    pool_.counts(now_);
  }
  TimePoint now() const { return now_; }

 private:
  KeyPool& pool_;
  TimePoint now_;
};

}  // namespace akr::test
