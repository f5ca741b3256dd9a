// A restricted key that may not list models was put away for everything after two model lists; so were keys that a
// validation call asked about.
#include "core/outcome/one_operation.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

Verdict one(UpstreamFailure failure) { return for_one_operation(failure, classify(failure)); }

TEST(OneOperation, APermissionThatIsRefusedTouchesNoKeyAndAsksTheNext) {
  for (const UpstreamFailure& failure : {UpstreamFailure{.status = 403},
                                         {.status = 401, .kind = FailureKind::kPermission, .code = "missing_scope"},
                                         {.status = 403, .kind = FailureKind::kPermission},
                                         {.status = 404, .kind = FailureKind::kModelUnavailable}}) {
    const Verdict verdict = one(failure);
    EXPECT_EQ(verdict.key, KeyAction::kNone) << failure.status;
    EXPECT_EQ(verdict.cool_for, std::nullopt);
    EXPECT_FALSE(verdict.lacks_model);
    EXPECT_EQ(verdict.retry, RetryAdvice::kNextKey);
    EXPECT_EQ(verdict.endpoint, EndpointEffect::kOk);
    EXPECT_EQ(verdict.reason, classify(failure).reason);
  }
}

TEST(OneOperation, WhatIsSaidOfTheKeyOrItsLimitStays) {
  using std::chrono::seconds;
  for (const UpstreamFailure& failure : {UpstreamFailure{.status = 401},
                                         {.status = 401, .kind = FailureKind::kCredential},
                                         {.status = 403, .kind = FailureKind::kSuspended},
                                         {.status = 403, .retry_after = seconds(9)},
                                         {.status = 403, .kind = FailureKind::kRateLimit},
                                         {.status = 429},
                                         {.status = 402},
                                         {.status = 200},
                                         {.end = AttemptEnd::kConnect, .kind = FailureKind::kPermission}}) {
    const Verdict before = classify(failure);
    const Verdict verdict = one(failure);
    EXPECT_EQ(verdict.key, before.key) << failure.status;
    EXPECT_EQ(verdict.cool_for, before.cool_for);
    EXPECT_EQ(verdict.retry, before.retry);
  }
}

}  // namespace
}  // namespace akr
