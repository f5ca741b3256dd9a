// failover_figure_test.cpp - the figure of issue 3, small: with 50 keys of which 10 are bad every request succeeds once
// each bad key was met, and no bad key is asked again before its wait is over.  bench/failover.sh is the large one.
#include <atomic>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::answer_ok;
using test::FakeUpstream;
using test::kChat;
using test::key_number;
using test::PoolClock;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kPath = test::kChatPath;
constexpr int kKeys = 50;

// Every fifth key is bad, each in one of four ways.
int status_of(int key) {
  if (key % 5 != 0) return 200;
  constexpr int kWays[] = {429, 401, 402, 403};
  return kWays[key / 5 % 4];
}

void answer(UpstreamCall& call) {
  const int status = status_of(key_number(call));
  if (status == 200) return answer_ok(call);
  call.answer(status, "no", status == 429 ? "Retry-After: 20\r\n" : "");
}

class TenBadKeys : public testing::Test {
 protected:
  // By way of being bad: how often such keys were asked since the last call.
  std::map<int, int> newly_asked() {
    std::map<int, int> asked;
    for (int key = 5; key <= kKeys; key += 5) {
      int& before = before_[key];
      const int now = upstream_.count_by("authorization")[ProxyUnderTest::bearer(key)];
      asked[status_of(key)] += now - std::exchange(before, now);
    }
    return asked;
  }
  // Ten clients at the same time; how many requests failed.
  int ask(int requests) {
    std::atomic<int> left = requests;
    std::atomic<int> failed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; ++i)
      threads.emplace_back([&] {
        auto client = proxy_.client();
        const std::string request = proxy_.request("POST", kPath, kChat);
        while (left.fetch_sub(1) > 0) failed += client.ask(request).status != 200;
      });
    for (std::thread& thread : threads) thread.join();
    return failed;
  }

  std::map<int, int> before_;
  FakeUpstream upstream_{answer};
  ProxyUnderTest proxy_{{.target_url = upstream_.url(), .keys = kKeys, .llm = true}};
};

TEST_F(TenBadKeys, AreMetOnceAndLeftAloneForAsLongAsTheyMust) {
  PoolClock clock(proxy_.pool());
  // One client after the other, so that no bad key is met by several at once.
  for (int i = 0; i < 3 * kKeys; ++i) EXPECT_EQ(proxy_.post(kPath, kChat).status, 200);
  using Asked = std::map<int, int>;
  // Bad are 5, 10, ... 50: two with 429, three each with 401 (asked twice) and 402, two with 403.
  EXPECT_EQ(newly_asked(), (Asked{{401, 6}, {402, 3}, {403, 2}, {429, 2}}));
  clock.pass(20s - 1ms);
  EXPECT_EQ(ask(1500), 0);
  EXPECT_EQ(newly_asked(), (Asked{{401, 0}, {402, 0}, {403, 0}, {429, 0}}));
  clock.pass(1ms);
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(proxy_.post(kPath, kChat).status, 200);
  EXPECT_EQ(newly_asked(), (Asked{{401, 0}, {402, 0}, {403, 0}, {429, 2}}));
  clock.pass(280s - 1ms);  // 300 s since the 403s; the 429s may be asked again
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(proxy_.post(kPath, kChat).status, 200);
  EXPECT_EQ(newly_asked(), (Asked{{401, 0}, {402, 0}, {403, 0}, {429, 2}}));
  clock.pass(1ms);
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(proxy_.post(kPath, kChat).status, 200);
  EXPECT_EQ(newly_asked(), (Asked{{401, 0}, {402, 0}, {403, 2}, {429, 0}}));
  EXPECT_EQ(ask(1000), 0);
  EXPECT_EQ(newly_asked(), (Asked{{401, 0}, {402, 0}, {403, 0}, {429, 0}}));
}

}  // namespace
}  // namespace akr
