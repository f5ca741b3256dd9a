// failover_rotation_test.cpp - who is asked next: behaviour.md section 3, scenarios 24 to 27 and 33 to 35, over real
// sockets with a pool whose time is the test's.
#include <algorithm>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "core/keys/selection/registry.hpp"
#include "tests/support/run_gateway.hpp"
#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::answer_ok;
using test::FakeUpstream;
using test::kChat;
using test::key_number;
using test::operator_keys;
using test::PoolClock;
using test::ProxyUnderTest;

using test::TestGateway;

class WhoIsNext : public testing::Test {
 protected:
  // `count` requests over one connection, each answered with 200; how often each key was asked, by its number.
  std::vector<int> ask(ProxyUnderTest& proxy, int count) {
    const std::size_t first = upstream_.seen().size();
    auto client = proxy.client();
    const std::string request = proxy.request("GET", "/a");
    for (int i = 0; i < count; ++i) EXPECT_EQ(client.ask(request).status, 200);
    std::vector<int> asked(20);
    const auto seen = upstream_.seen();
    for (std::size_t i = first; i < seen.size(); ++i) ++asked[static_cast<std::size_t>(key_number(seen[i]))];
    return asked;
  }

  FakeUpstream upstream_{answer_ok};
};

TEST_F(WhoIsNext, S24RestartsDoNotAlwaysBeginWithTheFirstKey) {
  TempDir directory;
  const Environment shared = {{"DATABASE_PATH", directory.file("shared.db")},
                              {"ENCRYPTION_KEY", "8f3a1c5e7b9d2046a8c0e2f41537596b7d8f9a0b1c2d3e4f5061728394a5b6c7"},
                              {"WORKERS", "1"}};
  std::set<std::string> first;
  for (int start = 0; start < 12; ++start) {
    TestGateway gateway(shared);
    if (start == 0) gateway.add_service({.target_url = upstream_.url(), .keys = 10});
    EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
    first.insert(upstream_.last().field("authorization"));
  }
  EXPECT_GE(first.size(), 3U);
}

TEST_F(WhoIsNext, S25TheShareOfACoolingKeyIsNotItsNeighboursAlone) {
  ProxyUnderTest proxy({.target_url = upstream_.url(), .keys = 10});
  proxy.blame(3, {.key = KeyAction::kCool, .cool_for = 600s});
  const std::vector<int> asked = ask(proxy, 900);
  EXPECT_EQ(asked[3], 0);
  for (std::size_t key = 1; key <= 10; ++key) {
    if (key != 3) EXPECT_NEAR(asked[key], 100, 1) << key;
  }
}

TEST_F(WhoIsNext, S26WeightsCountAndZeroIsNever) {
  ProxyUnderTest proxy({.target_url = upstream_.url(), .keys = 3, .policy = "weighted"});
  auto keys = operator_keys(3);
  keys[0].weight = 3;
  keys[2].weight = 0;
  proxy.pool().replace_keys(keys);
  const std::vector<int> asked = ask(proxy, 4000);
  EXPECT_NEAR(asked[1], 3000, 1);
  EXPECT_NEAR(asked[2], 1000, 1);
  EXPECT_EQ(asked[3], 0);
}

TEST_F(WhoIsNext, S26AKeyOfWeightZeroIsAskedUnderNoPolicy) {
  for (const PolicyEntry& policy : selection_policies()) {
    ProxyUnderTest proxy({.target_url = upstream_.url(), .keys = 3, .policy = std::string(policy.id)});
    auto keys = operator_keys(3);
    keys[1].weight = 0;
    proxy.pool().replace_keys(keys);
    EXPECT_EQ(ask(proxy, 30)[2], 0) << policy.id;
  }
}

TEST_F(WhoIsNext, S27TheSecondTierServesOnlyWhileTheFirstIsOut) {
  ProxyUnderTest proxy({.target_url = upstream_.url(), .keys = 4});
  auto keys = operator_keys(4);
  keys[2].priority = keys[3].priority = 1;
  proxy.pool().replace_keys(keys);
  PoolClock clock(proxy.pool());
  EXPECT_EQ(ask(proxy, 4)[3], 0);
  for (int i = 1; i <= 2; ++i) proxy.blame(i, {.key = KeyAction::kCool, .cool_for = 10s});
  auto asked = ask(proxy, 4);
  EXPECT_EQ(asked[3] + asked[4], 4);
  clock.pass(10s);
  asked = ask(proxy, 4);
  EXPECT_EQ(asked[1] + asked[2], 4);
}

TEST_F(WhoIsNext, S33ABurstNeverExceedsAKeysRequestsPerMinute) {
  ProxyUnderTest proxy({.target_url = upstream_.url(), .keys = 10, .policy = "fill_first"});
  auto keys = operator_keys(10);
  keys[0].limits.rpm = 4;
  proxy.pool().replace_keys(keys);
  PoolClock clock(proxy.pool());
  const auto burst = [&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; ++i)
      threads.emplace_back([&] {
        auto client = proxy.client();
        for (int n = 0; n < 5; ++n) EXPECT_EQ(client.ask(proxy.request("GET", "/a")).status, 200);
      });
    for (std::thread& thread : threads) thread.join();
    return upstream_.count_by("authorization")[ProxyUnderTest::bearer(1)];
  };
  EXPECT_EQ(burst(), 4);
  clock.pass(60s - 1ms);
  EXPECT_EQ(burst(), 4);
  clock.pass(1ms);
  EXPECT_EQ(burst(), 8);
  EXPECT_EQ(upstream_.requests(), 150);
}

// ---- conversations

class Conversation : public testing::Test {
 protected:
  // The key that a turn of this conversation goes out with.
  int turn(const std::string& session, std::string_view client = ProxyUnderTest::kAccessKey) {
    EXPECT_EQ(proxy_.ask("POST", "/v1/chat/completions", kChat, "X-Session-Id: " + session + "\r\n", client).status,
              200);
    return key_number(upstream_.last());
  }

  FakeUpstream upstream_{answer_ok};
  ProxyUnderTest proxy_{{.target_url = upstream_.url(), .keys = 6, .llm = true, .policy = "sticky"}};
};

TEST_F(Conversation, S34MovesOnWhenItsKeyIsSwitchedOffAndStaysThere) {
  const int first = turn("talk");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(turn("talk"), first);
  auto keys = operator_keys(6);
  keys[static_cast<std::size_t>(first - 1)].enabled = false;
  proxy_.pool().replace_keys(keys);
  const int second = turn("talk");
  EXPECT_NE(second, first);
  proxy_.pool().replace_keys(operator_keys(6));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(turn("talk"), second);
}

TEST_F(Conversation, S35OfTheSameNameBelongsToEachClientAlone) {
  const int mine = turn("talk");
  const int theirs = turn("talk", ProxyUnderTest::kOtherAccessKey);
  EXPECT_NE(mine, theirs);
  auto keys = operator_keys(6);
  keys[static_cast<std::size_t>(mine - 1)].enabled = false;
  proxy_.pool().replace_keys(keys);
  EXPECT_NE(turn("talk"), mine);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(turn("talk", ProxyUnderTest::kOtherAccessKey), theirs);
}

}  // namespace
}  // namespace akr
