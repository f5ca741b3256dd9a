// trace_property_test.cpp - the trace never lies: whatever the pool, the policy and the failures, its steps are the
// keys that the upstream saw, in that order, and the last one is who answered the client.
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "core/keys/selection/random_source.hpp"
#include "core/keys/selection/registry.hpp"
#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kJson;
using test::operator_keys;
using test::PoolClock;
using test::ProxyUnderTest;
using test::UpstreamCall;

namespace json = boost::json;

struct Seen {
  std::string key;  // fingerprint
  int status = 0;   // 0: cut before a head
};

// Answers at random and remembers, per request of a client, what it was asked.
class RandomUpstream {
 public:
  explicit RandomUpstream(std::uint64_t seed) : random_(seed) {}

  void answer(UpstreamCall& call) {
    const std::string bearer = call.request().field("authorization");
    const std::string key = fingerprint(bearer.substr(bearer.find(' ') + 1));
    const Move move = next();
    {
      const std::lock_guard lock(mutex_);
      std::vector<Seen>& seen = seen_[call.request().field("x-test-request")];
      // A dead connection is found out by the same attempt, which sends again with the same key.
      if (seen.empty() || seen.back().key != key) seen.emplace_back();
      seen.back() = {key, move.status};
    }
    if (move.status == 0) return call.close();
    call.answer(move.status, move.body, std::string(kJson) + move.fields);
  }
  std::vector<Seen> seen(const std::string& request) {
    const std::lock_guard lock(mutex_);
    return seen_[request];
  }

 private:
  struct Move {
    int status;
    const char* body = "{}";
    const char* fields = "";
  };
  Move next() {
    constexpr const char* kQuota =
        R"({"error":{"code":"insufficient_quota","type":"insufficient_quota","message":"q"}})";
    constexpr const char* kBadKey = R"({"error":{"code":"invalid_api_key","message":"no"}})";
    constexpr Move kMoves[] = {{200},
                               {200},
                               {200},
                               {200, kQuota},
                               {400},
                               {401, kBadKey},
                               {402},
                               {403},
                               {404},
                               {408},
                               {429},
                               {429, kQuota},
                               {429, "{}", "Retry-After: 7\r\n"},
                               {429, "{}", "Retry-After: 99999\r\n"},
                               {500},
                               {503, "{}", "Retry-After: 3\r\n"},
                               {529},
                               {0}};
    const std::lock_guard lock(mutex_);
    return kMoves[random_.below(std::size(kMoves))];
  }

  std::mutex mutex_;
  Random random_;
  std::map<std::string, std::vector<Seen>> seen_;  // by request
};

class TraceProperty : public testing::TestWithParam<int> {
 protected:
  explicit TraceProperty() : random_(static_cast<std::uint64_t>(GetParam())) {}

  test::ProxySpec random_spec() {
    const auto policies = selection_policies();
    test::ProxySpec spec{.target_url = upstream_.url(), .keys = 1 + static_cast<int>(random_.below(7))};
    spec.llm = llm_ = random_.below(2) == 0;
    spec.retry.max_attempts = 1 + static_cast<int>(random_.below(6));
    spec.policy = policies[random_.below(static_cast<std::uint32_t>(policies.size()))].id;
    spec.is_admin = [](std::string_view token) { return token == "t0k"; };
    return spec;
  }
  std::vector<UpstreamKey> random_keys(int count) {
    auto keys = operator_keys(count);
    for (UpstreamKey& key : keys) {
      key.enabled = random_.below(8) != 0;
      key.weight = random_.below(4);
      key.priority = static_cast<std::int32_t>(random_.below(2));
      if (random_.below(4) == 0) key.group = "org";
      if (random_.below(4) == 0) key.limits.rpm = 1 + random_.below(5);
    }
    return keys;
  }
  // An LLM service knows an error inside a 200, if something was to be made.
  bool good(const HttpAnswer& answer, bool generates) const {
    return answer.status == 200 && (!llm_ || !generates || answer.body == "{}");
  }
  void expect_true_trace(const std::string& request, const HttpAnswer& answer, bool generates) {
    const std::vector<Seen> seen = behind_.seen(request);
    const auto steps = json::parse(answer.field("x-rotator-trace")).as_array();
    ASSERT_FALSE(steps.empty());
    std::size_t taken = 0;
    for (const auto& step : steps) {
      const auto& members = step.as_object();
      if (!members.contains("key")) continue;
      ASSERT_LT(taken, seen.size());
      EXPECT_EQ(members.at("key").as_string(), seen[taken].key);
      const auto* status = members.if_contains("status");
      EXPECT_EQ(status == nullptr ? 0 : status->to_number<int>(), seen[taken].status);
      ++taken;
    }
    EXPECT_EQ(taken, seen.size()) << "the upstream was asked behind the trace's back";
    if (answer.field("x-rotator-error-source") == "gateway" || seen.empty()) return;
    EXPECT_EQ(answer.status, seen.back().status) << "the winner's answer is the client's";
    const bool won = steps.back().as_object().contains("key");
    EXPECT_EQ(won && steps.back().at("outcome").as_string() == "ok", good(answer, generates)) << answer.body;
  }

  // Keys that a request may be sent out with, time standing still; by fingerprint.
  static std::set<std::string> offered_keys(ProxyUnderTest& proxy) {
    // The last request's key is given back just after its answer.
    EXPECT_TRUE(test::eventually([&] { return proxy.pool().counts({}).in_flight == 0; }));
    std::set<std::string> keys;
    for (int i = 1; proxy.pool().status(KeyId{i}, {}); ++i) {
      const KeyStanding standing = proxy.status(i).standing;
      if (standing == KeyStanding::kUsable || standing == KeyStanding::kTrial)
        keys.insert(fingerprint(ProxyUnderTest::key(i)));
    }
    return keys;
  }
  void ask(ProxyUnderTest& proxy, const std::string& request, Random& random) {
    const std::string fields = "X-Rotator-Explain: 1\r\nX-Rotator-Admin: Bearer t0k\r\nX-Test-Request: " + request +
                               "\r\nX-Session-Id: " + std::to_string(random.below(3)) + "\r\n";
    const std::string body = random.below(2) == 0 ? R"({"model":"a"})" : R"({"model":"b"})";
    const bool generates = random.below(2) != 0;
    expect_true_trace(request,
                      generates ? proxy.post("/v1/chat/completions", body, fields) : proxy.get("/v1/models", fields),
                      generates);
  }

  RandomUpstream behind_{static_cast<std::uint64_t>(GetParam()) * 31};
  FakeUpstream upstream_{[this](UpstreamCall& call) { behind_.answer(call); }};
  Random random_;
  bool llm_ = false;
};

TEST_P(TraceProperty, NamesTheKeysThatTheUpstreamSaw) {
  const test::ProxySpec spec = random_spec();
  ProxyUnderTest proxy(spec);
  proxy.pool().replace_keys(random_keys(spec.keys));
  PoolClock clock(proxy.pool());
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(testing::Message() << spec.policy << ", request " << i);
    const auto offered = offered_keys(proxy);
    ask(proxy, std::to_string(i), random_);
    for (const Seen& each : behind_.seen(std::to_string(i))) EXPECT_TRUE(offered.contains(each.key)) << each.key;
    if (random_.below(4) == 0) clock.pass(std::chrono::seconds(random_.below(400)));
    if (random_.below(30) == 0) clock.pass(25h);
    if (random_.below(20) == 0) proxy.pool().reset_all(clock.now());
    if (random_.below(20) == 0) proxy.pool().replace_keys(random_keys(spec.keys));
  }
}

TEST_P(TraceProperty, DoesSoWithManyClientsAndAnOperatorAtWork) {
  const test::ProxySpec spec = random_spec();
  ProxyUnderTest proxy(spec);
  PoolClock clock(proxy.pool());
  std::vector<std::thread> clients;
  for (std::uint64_t number = 0; number < 6; ++number) {
    clients.emplace_back([&, number] {
      Random random(number + 100);
      for (int i = 0; i < 20; ++i) ask(proxy, std::to_string(number) + "-" + std::to_string(i), random);
    });
  }
  for (int i = 0; i < 20; ++i) {
    clock.pass(std::chrono::seconds(random_.below(400)));
    proxy.pool().replace_keys(random_keys(spec.keys));
    if (i % 5 == 0) proxy.pool().reset_all(clock.now());
    std::this_thread::sleep_for(1ms);
  }
  for (std::thread& client : clients) client.join();
}

INSTANTIATE_TEST_SUITE_P(Seeds, TraceProperty, testing::Range(1, 41));

}  // namespace
}  // namespace akr
