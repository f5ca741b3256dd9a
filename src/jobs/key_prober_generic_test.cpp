// key_prober_generic_test.cpp - keys of GENERIC services, whose free call is what the operator names.
#include "jobs/key_prober_fixture.hpp"
#include "upstream/free_call.hpp"

namespace akr {
namespace {

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

}  // namespace
}  // namespace akr
