#include "core/outcome/outcome.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Verdict of_status(int status, std::optional<Duration> hint = std::nullopt) {
  return classify({.status = status, .retry_after = hint});
}

Verdict of_kind(FailureKind kind, int status, std::optional<Duration> hint = std::nullopt) {
  return classify({.status = status, .kind = kind, .retry_after = hint, .code = "theirs"});
}

TEST(Classify, SuccessIsGood) {
  for (int status : {101, 200, 201, 204, 206, 299}) {
    const auto verdict = of_status(status);
    EXPECT_EQ(verdict.key, KeyAction::kGood) << status;
    EXPECT_EQ(verdict.endpoint, EndpointEffect::kOk);
    EXPECT_EQ(verdict.retry, RetryAdvice::kReturn);
    EXPECT_EQ(verdict.reason, "ok");
  }
}

TEST(Classify, RedirectsAndRequestErrorsTouchNoKey) {
  for (int status :
       {301, 302, 304, 307, 400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 416, 418, 422, 451, 499, 501}) {
    const auto verdict = of_status(status, seconds(9));
    EXPECT_EQ(verdict.key, KeyAction::kNone) << status;
    EXPECT_EQ(verdict.endpoint, EndpointEffect::kOk) << status;
    EXPECT_EQ(verdict.retry, RetryAdvice::kReturn) << status;
  }
}

TEST(Classify, CredentialStatusesTryTheNextKey) {
  EXPECT_EQ(of_status(401).key, KeyAction::kSuspect);
  EXPECT_EQ(of_status(403).key, KeyAction::kForbid);
  for (int status : {402, 432, 433}) EXPECT_EQ(of_status(status).key, KeyAction::kExhaust);
  for (int status : {401, 402, 403, 429, 432, 433}) {
    EXPECT_EQ(of_status(status).retry, RetryAdvice::kNextKey) << status;
    EXPECT_EQ(of_status(status).endpoint, EndpointEffect::kOk) << status;
  }
  for (int status : {401, 402, 403}) EXPECT_EQ(of_status(status).scope, Scope::kKey) << status;  // D26
}

TEST(Classify, TooManyRequestsCoolsKeyAndModel) {
  const auto verdict = of_status(429);
  EXPECT_EQ(verdict.key, KeyAction::kCool);
  EXPECT_EQ(verdict.scope, Scope::kKeyModel);
  EXPECT_EQ(verdict.cool_for, std::nullopt);
  EXPECT_EQ(verdict.reason, "http_429");
}

TEST(Classify, HintsAreClamped) {
  EXPECT_EQ(of_status(429, seconds(7)).cool_for, seconds(7));
  EXPECT_EQ(of_status(429, seconds(0)).cool_for, seconds(1));
  EXPECT_EQ(of_status(429, std::chrono::milliseconds(1500)).cool_for, std::chrono::milliseconds(1500));
  EXPECT_EQ(of_status(429, seconds(561635)).cool_for, hours(1));  // scenario 14
  EXPECT_EQ(of_status(402, hours(90)).cool_for, hours(24));
  EXPECT_EQ(of_kind(FailureKind::kRateLimit, 429, hours(5)).cool_for, hours(1));
  EXPECT_EQ(of_kind(FailureKind::kDailyQuota, 429, hours(25)).cool_for, hours(25));
  EXPECT_EQ(of_kind(FailureKind::kMonthlyQuota, 429, hours(24 * 40)).cool_for, hours(24 * 31));
}

TEST(Classify, ServerErrorsBlameTheEndpointOnly) {
  for (int status : {500, 502, 503, 504, 507, 520, 522, 524, 527, 529, 530}) {
    const auto verdict = of_status(status);
    EXPECT_EQ(verdict.key, KeyAction::kNone) << status;
    EXPECT_EQ(verdict.endpoint, EndpointEffect::kFail) << status;
    EXPECT_EQ(verdict.retry, RetryAdvice::kSameKey) << status;
  }
  for (int status : {408, 425}) EXPECT_EQ(of_status(status).endpoint, EndpointEffect::kFail) << status;
}

TEST(Classify, RetryAfterOf503And529CoolsBriefly) {
  for (int status : {503, 529}) {
    const auto verdict = of_status(status, seconds(300));
    EXPECT_EQ(verdict.key, KeyAction::kCool) << status;
    EXPECT_EQ(verdict.scope, Scope::kKeyModel);
    EXPECT_EQ(verdict.cool_for, seconds(60));
    EXPECT_EQ(verdict.endpoint, EndpointEffect::kFail);
  }
  EXPECT_EQ(of_status(500, seconds(300)).key, KeyAction::kNone);
}

TEST(Classify, ImpossibleStatusesAreProtocolErrors) {
  for (int status : {0, 99, 600, -1}) {
    EXPECT_EQ(of_status(status).reason, "protocol");
    EXPECT_EQ(of_status(status).endpoint, EndpointEffect::kFail);
  }
}

TEST(Classify, TransportFailuresTouchNoKey) {
  for (auto end : {AttemptEnd::kDns, AttemptEnd::kConnect, AttemptEnd::kTls, AttemptEnd::kEgressProxy,
                   AttemptEnd::kFirstByteTimeout, AttemptEnd::kClosedBeforeHead, AttemptEnd::kProtocol}) {
    const auto verdict = classify({.end = end, .status = 401, .kind = FailureKind::kCredential});
    EXPECT_EQ(verdict.key, KeyAction::kNone);
    EXPECT_EQ(verdict.endpoint, EndpointEffect::kFail);
    EXPECT_EQ(verdict.retry, RetryAdvice::kSameKey);
  }
  for (auto end : {AttemptEnd::kInterrupted, AttemptEnd::kTotalTimeout}) {
    EXPECT_EQ(classify({.end = end}).retry, RetryAdvice::kReturn);
    EXPECT_EQ(classify({.end = end}).endpoint, EndpointEffect::kFail);
  }
  for (auto end : {AttemptEnd::kClientGone, AttemptEnd::kGateway}) {
    const auto verdict = classify({.end = end});
    EXPECT_EQ(verdict.retry, RetryAdvice::kReturn);
    EXPECT_EQ(verdict.endpoint, EndpointEffect::kNone);
    EXPECT_EQ(verdict.key, KeyAction::kNone);
  }
}

struct KindCase {
  FailureKind kind;
  int status;
  KeyAction key;
  Scope scope;
  RetryAdvice retry;
};

TEST(Classify, AProvidersWordOverrulesItsStatus) {
  const KindCase cases[] = {
      {FailureKind::kRequest, 403, KeyAction::kNone, Scope::kKey, RetryAdvice::kReturn},
      {FailureKind::kCredential, 400, KeyAction::kInvalidate, Scope::kKey, RetryAdvice::kNextKey},
      {FailureKind::kSuspended, 403, KeyAction::kInvalidate, Scope::kGroup, RetryAdvice::kNextKey},
      {FailureKind::kRateLimit, 429, KeyAction::kCool, Scope::kGroupModel, RetryAdvice::kNextKey},
      {FailureKind::kQuota, 429, KeyAction::kExhaust, Scope::kGroup, RetryAdvice::kNextKey},
      {FailureKind::kDailyQuota, 429, KeyAction::kExhaust, Scope::kGroupModel, RetryAdvice::kNextKey},
      {FailureKind::kMonthlyQuota, 429, KeyAction::kExhaust, Scope::kGroup, RetryAdvice::kNextKey},
      {FailureKind::kPermission, 403, KeyAction::kCool, Scope::kKeyModel, RetryAdvice::kNextKey},
      {FailureKind::kModelUnavailable, 404, KeyAction::kCool, Scope::kKeyModel, RetryAdvice::kNextKey},
      {FailureKind::kOverloaded, 429, KeyAction::kNone, Scope::kKey, RetryAdvice::kSameKey},
      {FailureKind::kRegion, 403, KeyAction::kNone, Scope::kKey, RetryAdvice::kReturn},
      {FailureKind::kTooLargeForKey, 429, KeyAction::kNone, Scope::kKey, RetryAdvice::kNextKey},
      {FailureKind::kAddressRefused, 401, KeyAction::kCool, Scope::kGroup, RetryAdvice::kNextKey},
  };
  for (const auto& c : cases) {
    const auto verdict = of_kind(c.kind, c.status);
    EXPECT_EQ(verdict.key, c.key) << static_cast<int>(c.kind);
    EXPECT_EQ(verdict.scope, c.scope) << static_cast<int>(c.kind);
    EXPECT_EQ(verdict.retry, c.retry) << static_cast<int>(c.kind);
    EXPECT_EQ(verdict.reason, "theirs");
  }
}

TEST(Classify, OverloadBlamesTheEndpointOnlyFor5xx) {
  EXPECT_EQ(of_kind(FailureKind::kOverloaded, 429).endpoint, EndpointEffect::kOk);
  EXPECT_EQ(of_kind(FailureKind::kOverloaded, 529, seconds(9)).endpoint, EndpointEffect::kFail);
  EXPECT_EQ(of_kind(FailureKind::kOverloaded, 529, seconds(9)).key, KeyAction::kNone);
}

TEST(Classify, HoldsOfModelsHaveADefault) {
  EXPECT_EQ(of_kind(FailureKind::kModelUnavailable, 404).cool_for, minutes(10));
  EXPECT_TRUE(of_kind(FailureKind::kModelUnavailable, 404).lacks_model);
  EXPECT_FALSE(of_kind(FailureKind::kRateLimit, 429).lacks_model);
  EXPECT_EQ(of_kind(FailureKind::kModelUnavailable, 429, hours(24)).cool_for, hours(24));
  EXPECT_EQ(of_kind(FailureKind::kQuota, 429).cool_for, std::nullopt);  // KeyPool escalates
}

// A default of ours passed for the provider's hint, and so for its own word on when to come back.
TEST(Classify, AWaitKnowsWhoSaidItsLength) {
  EXPECT_FALSE(of_status(429).announced());
  EXPECT_TRUE(of_status(429, seconds(7)).announced());
  EXPECT_FALSE(of_kind(FailureKind::kPermission, 403).announced());
  EXPECT_TRUE(of_kind(FailureKind::kPermission, 403, seconds(7)).announced());
  EXPECT_FALSE(of_kind(FailureKind::kModelUnavailable, 404).announced());
  EXPECT_FALSE(of_kind(FailureKind::kAddressRefused, 401).announced());
  UpstreamFailure guess{.status = 429, .kind = FailureKind::kRateLimit, .retry_after = seconds(60)};
  EXPECT_TRUE(classify(guess).announced());
  guess.retry_from = WaitSource::kDefault;
  EXPECT_FALSE(classify(guess).announced());
  EXPECT_EQ(classify(guess).cool_for, seconds(60));
  guess.kind = FailureKind::kDailyQuota;  // the provider named the day
  EXPECT_TRUE(classify(guess).announced());
}

TEST(Classify, OurAddressIsSaidToBeRefused) {
  EXPECT_TRUE(of_kind(FailureKind::kRegion, 403).refuses_address);
  EXPECT_TRUE(of_kind(FailureKind::kAddressRefused, 401).refuses_address);
  EXPECT_FALSE(of_kind(FailureKind::kPermission, 403).refuses_address);
  EXPECT_TRUE(of_kind(FailureKind::kPermission, 403).denies_access);
  EXPECT_TRUE(of_kind(FailureKind::kModelUnavailable, 404).denies_access);
}

TEST(Classify, ACodeThatExplainsNothingIsStillTheReason) {
  const auto verdict = classify({.status = 401, .code = "token_expired"});
  EXPECT_EQ(verdict.key, KeyAction::kSuspect);
  EXPECT_EQ(verdict.reason, "token_expired");
}

}  // namespace
}  // namespace akr
