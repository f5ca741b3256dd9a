#include "jobs/key_prober.hpp"

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "tests/support/handler_server.hpp"
#include "upstream/free_call.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;

TimePoint real_now() { return system_clock().now(); }

// A provider whose answer to the next call is set by the test.
class KeyProberTest : public testing::Test {
 protected:
  KeyProberTest() {
    pool_->configure({.outage_guard = false}).value();
    pool_->replace_keys(pool_test::make_keys(2));
    ProberOptions options;
    options.env_proxy = [this](const UpstreamUrl&) { return env_proxy_; };
    options.connector.address_allowed = [](std::span<const std::uint8_t>) { return true; };
    prober_ = std::make_unique<KeyProber>(options);
    publish(service("openai_compatible", "/v1"));
    prober_->start();
  }

  RoutedService service(const std::string& format, const std::string& base) {
    RoutedService made;
    made.config.id = ServiceId{7};
    made.config.slug = "s";
    made.config.type = ServiceType::kLlm;
    made.config.api_format = format;
    find_provider_of(made);
    made.url = parse_upstream_url("http://127.0.0.1:" + std::to_string(provider_.port()) + base).value();
    made.keys = pool_;
    return made;
  }
  void publish(RoutedService one) {
    std::vector<RoutedService> all;
    all.push_back(std::move(one));
    prober_->publish(std::make_shared<const RoutingTable>(std::move(all)));
  }
  Result<ProbeResult> validate(ServiceId service, KeyId key) { return validate(*prober_, service, key); }
  static Result<ProbeResult> validate(KeyProber& prober, ServiceId service, KeyId key) {
    std::promise<Result<ProbeResult>> promise;
    prober.validate(service, key, [&](Result<ProbeResult> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  void report(std::int64_t key, const Verdict& verdict) {
    pool_test::take(*pool_, key, 2, real_now()).value().report(verdict, real_now());
  }
  KeyState state(std::int64_t key) { return pool_test::state(*pool_, key, real_now()); }
  std::string asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  net::Task<void> serve(net::Downstream& client) {
    {
      const std::lock_guard lock(mutex_);
      asked_ = std::string(client.head().method()) + " " + std::string(client.head().target()) + " " +
               std::string(client.head().find("authorization")) + std::string(client.head().find("x-goog-api-key")) +
               std::string(client.head().find("x-api-key"));
    }
    ++calls_;
    co_await client.reply(status_, "Content-Type: application/json\r\n", body_);
  }

  std::atomic<int> status_ = 200;
  std::string body_ = R"({"object":"list","data":[]})";
  std::atomic<int> calls_ = 0;
  std::string env_proxy_;
  std::mutex mutex_;
  std::string asked_;
  test::HandlerServer provider_{[this](net::Downstream& client) { return serve(client); }};
  std::shared_ptr<KeyPool> pool_ = std::make_shared<KeyPool>(7);
  std::unique_ptr<KeyProber> prober_;
};

TEST_F(KeyProberTest, AnAcceptedKeyComesBackAtOnce) {
  report(1, pool_test::invalid());
  ASSERT_EQ(state(1), KeyState::kInvalid);
  const auto result = validate(ServiceId{7}, KeyId{1}).value();
  EXPECT_TRUE(result.valid);
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(state(1), KeyState::kActive);
  EXPECT_EQ(asked(), "GET /v1/models Bearer sk-1");
  EXPECT_EQ(pool_->counts(real_now()).in_flight, 0U);
}

TEST_F(KeyProberTest, ARefusalCountsAsOneOfARequest) {
  status_ = 401;
  body_ =
      R"({"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}})";
  const auto result = validate(ServiceId{7}, KeyId{2}).value();
  EXPECT_FALSE(result.valid);
  EXPECT_EQ(result.status, 401);
  EXPECT_EQ(result.reason, "invalid_api_key");
  validate(ServiceId{7}, KeyId{2}).value();
  EXPECT_EQ(state(2), KeyState::kInvalid);
  EXPECT_EQ(state(1), KeyState::kActive);
}

TEST_F(KeyProberTest, AModelListDoesNotEndACooldownNorAnEmptyQuota) {
  report(1, pool_test::cool_for(600s));
  report(2, pool_test::exhaust_for(600s));
  EXPECT_TRUE(validate(ServiceId{7}, KeyId{1}).value().valid);
  EXPECT_TRUE(validate(ServiceId{7}, KeyId{2}).value().valid);
  EXPECT_EQ(state(1), KeyState::kCooling);
  EXPECT_EQ(state(2), KeyState::kExhausted);
}

// A restricted key was taken out of chat because a person asked whether it is valid: it may not list models.
TEST_F(KeyProberTest, AListThatAKeyMayNotReadSaysNothingOfTheKey) {
  const std::pair<int, const char*> refusals[] = {
      {401, R"({"error":{"message":"Missing scopes: api.model.read.","code":null}})"},
      {403, R"({"error":{"message":"Missing scopes: api.model.read.","code":null}})"},
      {403, "Forbidden"}};
  for (const auto& [status, body] : refusals) {
    status_ = status;
    body_ = body;
    for (int i = 0; i < 3; ++i) {
      const auto result = validate(ServiceId{7}, KeyId{1}).value();
      EXPECT_FALSE(result.valid);
      EXPECT_EQ(result.status, status);
      EXPECT_EQ(state(1), KeyState::kActive) << status;
    }
  }
}

TEST_F(KeyProberTest, AnUpstreamInTroubleBlamesNoKey) {
  report(1, pool_test::invalid());
  status_ = 503;
  EXPECT_FALSE(validate(ServiceId{7}, KeyId{1}).value().valid);
  EXPECT_EQ(state(1), KeyState::kInvalid);
  provider_.stop();
  const auto result = validate(ServiceId{7}, KeyId{2}).value();
  EXPECT_FALSE(result.valid);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(state(2), KeyState::kActive);
}

TEST_F(KeyProberTest, EachFormatHasItsCallAndTheOperatorsPlaceIsUsed) {
  publish(service("gemini_native", ""));
  ASSERT_TRUE(validate(ServiceId{7}, KeyId{1}));
  EXPECT_EQ(asked(), "GET /v1beta/models sk-1");
  publish(service("anthropic_native", "/base"));
  ASSERT_TRUE(validate(ServiceId{7}, KeyId{1}));
  EXPECT_EQ(asked(), "GET /base/v1/models sk-1");
  RoutedService in_query = service("gemini_native", "/x?a=b");
  in_query.config.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
  publish(in_query);
  ASSERT_TRUE(validate(ServiceId{7}, KeyId{1}));
  EXPECT_EQ(asked(), "GET /x/v1beta/models?a=b&key=sk-1 ");
}

TEST_F(KeyProberTest, LeavesByTheServicesProxyOrTheEnvironmentsOnly) {
  env_proxy_ = "http://127.0.0.1:1";
  EXPECT_EQ(validate(ServiceId{7}, KeyId{1}).value().reason, to_string(ErrorCode::kEgressProxy));
  env_proxy_.clear();
  RoutedService proxied = service("openai_compatible", "/v1");
  proxied.config.egress_proxy = "socks5://127.0.0.1:1";
  publish(proxied);
  EXPECT_EQ(validate(ServiceId{7}, KeyId{1}).value().reason, to_string(ErrorCode::kEgressProxy));
  EXPECT_EQ(calls_, 0);
}

// Validation calls carry a key as requests do: the address policy of the connector holds for them and for their proxy.
TEST_F(KeyProberTest, TheAddressPolicyHoldsForValidationCallsAndTheirProxy) {
  ProberOptions options;
  options.connector.address_allowed = [](std::span<const std::uint8_t>) { return false; };
  KeyProber prober(options);
  std::vector<RoutedService> all;
  all.push_back(service("openai_compatible", "/v1"));
  all.push_back(service("openai_compatible", "/v1"));
  all[1].config.id = ServiceId{8};
  all[1].config.slug = "proxied";
  all[1].config.egress_proxy = "http://127.0.0.1:" + std::to_string(provider_.port());
  prober.publish(std::make_shared<const RoutingTable>(std::move(all)));
  prober.start();
  for (const std::int64_t id : {7, 8}) {
    EXPECT_EQ(validate(prober, ServiceId{id}, KeyId{1}).value().reason, to_string(ErrorCode::kUpstreamRefused)) << id;
  }
  prober.stop();
  EXPECT_EQ(calls_, 0);
}

class GenericProber : public KeyProberTest {
 protected:
  RoutedService rest(const std::string& path) {
    RoutedService made = service("", "/base?tenant=1");
    made.config.type = ServiceType::kGeneric;
    find_provider_of(made);
    made.config.key_placement = KeyPlacement{KeyLocation::kHeader, "Authorization", "Token "};
    made.config.validation_path = path;
    return made;
  }
  void ask(std::int64_t key, int status) {
    status_ = status;
    const auto result = validate(ServiceId{7}, KeyId{key}).value();
    EXPECT_EQ(result.status, status);
    EXPECT_EQ(result.valid, status >= 200 && status < 300) << status;
  }
};

TEST_F(GenericProber, AsksForTheOperatorsPathWithTheKeyInItsPlace) {
  publish(rest("/me?fields=plan"));
  ask(1, 204);
  EXPECT_EQ(asked(), "GET /base/me?tenant=1&fields=plan Token sk-1");
  RoutedService in_query = rest("/me");
  in_query.config.key_placement = KeyPlacement{KeyLocation::kQuery, "api_key", ""};
  publish(in_query);
  ask(2, 200);
  EXPECT_EQ(asked(), "GET /base/me?tenant=1&api_key=sk-2 ");
}

TEST_F(GenericProber, AnAcceptedKeyComesBackAndARefusalCounts) {
  publish(rest("/me"));
  ask(1, 401);
  EXPECT_EQ(state(1), KeyState::kActive);
  ask(1, 401);
  EXPECT_EQ(state(1), KeyState::kInvalid);
  ask(1, 200);
  EXPECT_EQ(state(1), KeyState::kActive);
}

TEST_F(GenericProber, OtherAnswersAreJudgedByTheTable) {
  publish(rest("/me"));
  for (const int status : {404, 302, 500, 400}) {
    ask(1, status);
    EXPECT_EQ(state(1), KeyState::kActive) << status;
  }
  const std::pair<int, KeyState> cases[] = {{403, KeyState::kCooling},
                                            {429, KeyState::kCooling},
                                            {402, KeyState::kExhausted},
                                            {432, KeyState::kExhausted},
                                            {433, KeyState::kExhausted}};
  for (const auto& [status, expected] : cases) {
    pool_->reset_all(real_now());
    ask(1, status);
    EXPECT_EQ(state(1), expected) << status;
    EXPECT_EQ(state(2), KeyState::kActive);
    ask(1, 200);
    EXPECT_EQ(state(1), expected) << "a free call says nothing about a quota";
  }
}

// A wrong validation_path switched the way back of invalid keys off, and nothing told so.
TEST_F(GenericProber, AnAnswerThatSaysNothingIsToldAndLeavesTheKeyToARequest) {
  publish(rest("/wrong"));
  report(1, pool_test::invalid());
  testing::internal::CaptureStderr();
  for (const int status : {404, 404, 302, 302, 405}) ask(1, status);
  ask(2, 200);
  ask(1, 405);
  const std::string log = testing::internal::GetCapturedStderr();
  int told = 0;
  for (auto at = log.find("probe_says_nothing"); at != std::string::npos; at = log.find("probe_says_nothing", at + 1))
    ++told;
  EXPECT_EQ(told, 4) << log;
  prober_->stop();
  const TimePoint later = real_now() + 1h;
  EXPECT_FALSE(pool_test::take(*pool_, 1, 2, later - 5min));
  pool_test::take(*pool_, 1, 2, later).value().report(pool_test::good(), later);
  EXPECT_EQ(pool_test::state(*pool_, 1, later), KeyState::kActive);
}

TEST_F(GenericProber, TheServicesRulesComeFirst) {
  RoutedService ruled = rest("/me");
  FailureRule rule;
  rule.statuses = {403};
  rule.body_regex = "revoked";
  rule.action = RuleAction::kInvalidate;
  ruled.rules = std::make_shared<const FailureRules>(FailureRules::compile({&rule, 1}).value());
  publish(ruled);
  body_ = R"({"error":"revoked"})";
  ask(1, 403);
  EXPECT_EQ(state(1), KeyState::kInvalid);
}

TEST_F(GenericProber, WithoutAPathOrAPlaceForTheKeyThereIsNoCall) {
  RoutedService bare = rest("/me");
  bare.config.key_placement.reset();
  for (const auto& each : {rest(""), bare}) {
    publish(each);
    const auto refused = validate(ServiceId{7}, KeyId{1});
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(refused.error().message.find("validation_path"), std::string::npos);
  }
  EXPECT_EQ(calls_, 0);
}

// In the background, too: after a restart invalid keys are asked about at once.
TEST_F(GenericProber, InvalidKeysAreAskedAboutInTheBackground) {
  KeyStateRecord row;
  row.key = KeyId{1};
  row.state = KeyState::kInvalid;
  pool_->import_states({&row, 1}, real_now(), system_clock().wall());
  EXPECT_EQ(state(1), KeyState::kInvalid);
  publish(rest("/me"));
  for (int i = 0; i < 1000 && state(1) != KeyState::kActive; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(state(1), KeyState::kActive);
  EXPECT_EQ(calls_, 1);
}

TEST_F(KeyProberTest, SaysWhatItCannotDo) {
  EXPECT_EQ(validate(ServiceId{8}, KeyId{1}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(validate(ServiceId{7}, KeyId{9}).error().code, ErrorCode::kNotFound);
  RoutedService rest = service("", "");
  rest.config.type = ServiceType::kGeneric;
  find_provider_of(rest);
  publish(rest);
  EXPECT_EQ(validate(ServiceId{7}, KeyId{1}).error().code, ErrorCode::kUnsupported);
  const KeyId key{1};
  EXPECT_EQ(prober_->enqueue(ServiceId{7}, {&key, 1}).error().code, ErrorCode::kUnsupported);
}

TEST_F(KeyProberTest, QueuedKeysAreAskedAboutSoon) {
  report(1, pool_test::invalid());
  const std::vector<KeyId> keys = {KeyId{1}, KeyId{2}, KeyId{99}};
  EXPECT_EQ(prober_->enqueue(ServiceId{7}, keys).value(), 3U);
  for (int i = 0; i < 1000 && calls_ < 2; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(calls_, 2);
  for (int i = 0; i < 1000 && state(1) != KeyState::kActive; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(state(1), KeyState::kActive);
}

// Scenario 12: no key is left that a request could try, and nobody does anything.
TEST_F(KeyProberTest, APoolOfInvalidKeysComesBackWithinAProbeInterval) {
  for (std::int64_t key : {1, 2}) report(key, pool_test::invalid());
  ASSERT_FALSE(pool_->select({}, real_now()));
  pool_->counts(real_now() + 1h);  // the pool's time goes on from there
  for (int i = 0; i < 2000 && pool_->counts(real_now()).active < 2; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(pool_->counts(real_now()).active, 2U);
  EXPECT_EQ(calls_, 2);
  EXPECT_TRUE(pool_->select({}, real_now()));
}

// A key that a provider's hiccup made invalid stayed out for an hour.
TEST_F(KeyProberTest, AKeyThatAHiccupMadeInvalidIsBackAfterTenSeconds) {
  pool_->configure({.outage_guard = false, .free_call = true}).value();
  report(1, pool_test::invalid());
  pool_->counts(real_now() + 10s);
  for (int i = 0; i < 2000 && state(1) != KeyState::kActive; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(state(1), KeyState::kActive);
}

// Only four keys were asked about per second, so that validating 500 took two minutes.
TEST_F(KeyProberTest, AQueueIsWorkedOffWithoutPauses) {
  constexpr std::int64_t kKeys = 200;
  pool_->replace_keys(pool_test::make_keys(kKeys));
  std::vector<KeyId> keys;
  for (std::int64_t id = 1; id <= kKeys; ++id) keys.push_back(KeyId{id});
  EXPECT_EQ(prober_->enqueue(ServiceId{7}, keys).value(), keys.size());
  const TimePoint late = real_now() + 30s;  // it took 50 s
  while (calls_ < kKeys && real_now() < late) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(calls_, kKeys);
}

// A long queue of one service took all lanes, and no other service's invalid key came back until it was worked off.
TEST_F(KeyProberTest, AQueueLeavesRoomForTheWayBack) {
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(silent, 64), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto both = [&](bool with_other) {
    std::vector<RoutedService> all;
    all.push_back(service("openai_compatible", "/v1"));
    all[0].config.id = ServiceId{8};
    all[0].url = parse_upstream_url("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))).value();
    all[0].keys = std::make_shared<KeyPool>(1);
    all[0].keys->replace_keys(pool_test::make_keys(1));
    if (with_other) all.push_back(service("openai_compatible", "/v1"));
    return std::make_shared<const RoutingTable>(std::move(all));
  };
  const auto slow = both(false);
  prober_->publish(slow);
  const std::vector<KeyId> keys(100, KeyId{1});
  ASSERT_EQ(prober_->enqueue(ServiceId{8}, keys).value(), 100U);
  KeyPool& queued = *slow->services()[0].keys;
  for (int i = 0; i < 1000 && queued.counts(real_now()).in_flight < 3; ++i) std::this_thread::sleep_for(10ms);
  KeyStateRecord row;
  row.key = KeyId{1};
  row.state = KeyState::kInvalid;
  pool_->import_states({&row, 1}, real_now(), system_clock().wall());
  prober_->publish(both(true));
  for (int i = 0; i < 1500 && state(1) != KeyState::kActive; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(state(1), KeyState::kActive);
  EXPECT_EQ(queued.counts(real_now()).in_flight, 3U);
  prober_->stop();
  ::close(silent);
}

TEST_F(KeyProberTest, StopCutsWhatRuns) {
  provider_.stop();
  const std::vector<KeyId> keys(100, KeyId{1});
  EXPECT_EQ(prober_->enqueue(ServiceId{7}, keys).value(), 100U);
  prober_->stop();
  EXPECT_EQ(pool_->counts(real_now()).in_flight, 0U);
  EXPECT_EQ(validate(ServiceId{7}, KeyId{1}).error().code, ErrorCode::kShuttingDown);
}

TEST_F(KeyProberTest, OfSeveralUrlsOneThatWorksIsAsked) {
  RoutedService made = service("openai_compatible", "/v1");
  const std::string good = "http://127.0.0.1:" + std::to_string(provider_.port());
  const std::vector<Upstream> list = {{"http://127.0.0.1:1/dead/v1", 1, 0}, {good + "/second/v1", 1, 1}};
  made.upstreams = UpstreamSet::make(list).value();
  const auto set = made.upstreams;
  for (int i = 0; i < 5; ++i) set->select(0, real_now()).report(EndpointEffect::kFail, real_now());
  publish(std::move(made));
  EXPECT_TRUE(validate(ServiceId{7}, KeyId{1}).value().valid);
  EXPECT_EQ(asked(), "GET /second/v1/models Bearer sk-1");
}

}  // namespace
}  // namespace akr
