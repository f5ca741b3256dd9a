// key_prober_test.cpp - what an answer says about a key of an LLM service, and in which order keys are asked about.
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jobs/key_prober_fixture.hpp"
#include "upstream/free_call.hpp"

namespace akr {
namespace {

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
