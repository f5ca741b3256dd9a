#include "core/outcome/retry_policy.hpp"

#include <gtest/gtest.h>

#include "core/outcome/outcome.hpp"

namespace akr {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart(seconds(1000));

// A budget after one attempt.
RetryBudget tried_once(RetrySettings settings, bool idempotent, bool replayable = true) {
  RetryBudget budget(settings, idempotent, replayable, kStart);
  budget.count_attempt();
  return budget;
}

AttemptFacts answered(int status) {
  return {.verdict = classify({.status = status}), .progress = SendProgress::kAnswered, .status = status};
}

AttemptFacts failed(AttemptEnd end, SendProgress progress) {
  return {.verdict = classify({.end = end}), .progress = progress};
}

TEST(IsIdempotent, FollowsRfc9110) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) EXPECT_TRUE(is_idempotent(method));
  for (const char* method : {"POST", "PATCH", "CONNECT", "get", ""}) EXPECT_FALSE(is_idempotent(method));
}

TEST(RetryBudget, TheFirstAttemptIsAlwaysAllowed) {
  const RetryBudget budget({.max_attempts = 1}, false, false, kStart);
  EXPECT_TRUE(budget.allows({}, kStart + seconds(100)));
}

TEST(RetryBudget, StopsAtMaxAttempts) {
  RetryBudget budget({.max_attempts = 3}, true, true, kStart);
  int attempts = 0;
  for (; attempts < 10 && budget.allows(answered(429), kStart); ++attempts) budget.count_attempt();
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(budget.attempts(), 3);
}

// behaviour.md scenario 29: each attempt takes 30 s, the budget is 45 s: two attempts, never three.
// A pool of (401, 429, 500, good) answered 500: three bad keys had used up the attempts.  Attempts that end by the
// key's fault are free, up to ten; others count as ever.
TEST(RetryBudget, AttemptsThatEndByTheKeysFaultDoNotCount) {
  const auto count = [](RetrySettings settings, std::initializer_list<int> statuses) {
    RetryBudget budget(settings, true, true, kStart);
    int attempts = 0;
    for (const int status : statuses) {
      if (!budget.allows(attempts == 0 ? AttemptFacts() : answered(*(statuses.begin() + attempts - 1)), kStart)) break;
      budget.count_attempt();
      budget.note_end(answered(status));
      ++attempts;
    }
    return attempts;
  };
  EXPECT_EQ(count({.max_attempts = 3}, {401, 429, 500, 429, 402, 503, 200}), 7);
  EXPECT_EQ(count({.max_attempts = 3}, {500, 503, 500, 200}), 3);
  EXPECT_EQ(count({.max_attempts = 2}, {429, 401, 402, 403, 429, 429, 429, 429, 429, 429, 429, 429}), 10);
  EXPECT_EQ(count({.max_attempts = 1}, {429, 200}), 1);
}

// A key rests for the Retry-After of a 503, but the upstream is to blame for it.
TEST(RetryBudget, AnUnavailableUpstreamCountsAlsoIfItsKeyRests) {
  RetryBudget budget({.max_attempts = 3}, true, true, kStart);
  AttemptFacts busy;
  busy.status = 503;
  busy.verdict = classify({.status = 503, .retry_after = std::chrono::seconds(7)});
  int attempts = 0;
  for (; attempts < 10 && budget.allows(busy, kStart); ++attempts) {
    budget.count_attempt();
    budget.note_end(busy);
  }
  EXPECT_EQ(attempts, 3);
}

TEST(RetryBudget, StartsNoAttemptAfterTheBudget) {
  RetryBudget budget({}, true, true, kStart);
  budget.count_attempt();
  EXPECT_TRUE(budget.allows(answered(500), kStart + seconds(30)));
  budget.count_attempt();
  EXPECT_FALSE(budget.allows(answered(500), kStart + seconds(60)));
  EXPECT_FALSE(tried_once({}, true).allows(answered(500), kStart + seconds(45)));
}

TEST(RetryBudget, ObeysTheVerdict) {
  for (int status : {200, 302, 400, 404, 405, 409, 413, 422, 501}) {
    EXPECT_FALSE(tried_once({}, true).allows(answered(status), kStart)) << status;
  }
}

// behaviour.md scenario 31.
TEST(RetryBudget, RestPostIsRepeatedOnlyWhenTurnedAway) {
  const RetrySettings rest = default_retry(ServiceType::kGeneric);
  for (int status : {401, 402, 403, 429, 432, 433})
    EXPECT_TRUE(tried_once(rest, false).allows(answered(status), kStart));
  for (int status : {408, 425, 500, 502, 503, 504, 529}) {
    EXPECT_FALSE(tried_once(rest, false).allows(answered(status), kStart)) << status;
    EXPECT_TRUE(tried_once(rest, true).allows(answered(status), kStart)) << status;
  }
}

TEST(RetryBudget, A503WithAHintIsStillNoRefusal) {
  const AttemptFacts facts{.verdict = classify({.status = 503, .retry_after = seconds(5)}), .status = 503};
  EXPECT_FALSE(tried_once(default_retry(ServiceType::kGeneric), false).allows(facts, kStart));
  EXPECT_TRUE(tried_once(default_retry(ServiceType::kLlm), false).allows(facts, kStart));
}

TEST(RetryBudget, LlmPostIsRepeatedAfterServerErrors) {
  const RetrySettings llm = default_retry(ServiceType::kLlm);
  for (int status : {408, 500, 502, 503, 529}) EXPECT_TRUE(tried_once(llm, false).allows(answered(status), kStart));
  EXPECT_TRUE(tried_once(llm, false).allows(failed(AttemptEnd::kClosedBeforeHead, SendProgress::kSent), kStart));
}

TEST(RetryBudget, NothingSentIsAlwaysSafe) {
  const RetrySettings rest = default_retry(ServiceType::kGeneric);
  for (auto end : {AttemptEnd::kDns, AttemptEnd::kConnect, AttemptEnd::kTls, AttemptEnd::kEgressProxy}) {
    EXPECT_TRUE(tried_once(rest, false, false).allows(failed(end, SendProgress::kNothingSent), kStart));
  }
  EXPECT_FALSE(tried_once(rest, false).allows(failed(AttemptEnd::kClosedBeforeHead, SendProgress::kSent), kStart));
  EXPECT_TRUE(tried_once(rest, true).allows(failed(AttemptEnd::kFirstByteTimeout, SendProgress::kSent), kStart));
}

TEST(RetryBudget, ABodyThatIsGoneCannotBeSentAgain) {
  EXPECT_FALSE(tried_once({}, true, false).allows(answered(429), kStart));
  EXPECT_FALSE(tried_once({.retry_non_idempotent = true}, false, false).allows(answered(500), kStart));
}

TEST(RetryBudget, NeverAfterTheClientLeftOrTheStreamBegan) {
  for (auto end :
       {AttemptEnd::kClientGone, AttemptEnd::kInterrupted, AttemptEnd::kGateway, AttemptEnd::kTotalTimeout}) {
    EXPECT_FALSE(tried_once({.retry_non_idempotent = true}, true).allows(failed(end, SendProgress::kSent), kStart));
  }
}

TEST(RetryBudget, AnErrorInsideA200IsARefusal) {
  const AttemptFacts facts{.verdict = classify({.status = 429, .kind = FailureKind::kRateLimit}), .status = 200};
  EXPECT_TRUE(tried_once(default_retry(ServiceType::kGeneric), false).allows(facts, kStart));
}

// Another service may be asked when only the number of attempts forbids more, never when the work may have been done.
TEST(RetryBudget, MayRepeatIgnoresTheNumberOfAttemptsOnly) {
  const RetryBudget post = tried_once({.max_attempts = 1}, false);
  EXPECT_FALSE(post.allows(answered(429), kStart));
  EXPECT_TRUE(post.may_repeat(answered(429), kStart));
  EXPECT_FALSE(post.may_repeat(answered(500), kStart));
  EXPECT_FALSE(post.may_repeat(answered(404), kStart));
  EXPECT_FALSE(post.may_repeat(failed(AttemptEnd::kFirstByteTimeout, SendProgress::kSent), kStart));
  EXPECT_TRUE(post.may_repeat(failed(AttemptEnd::kConnect, SendProgress::kNothingSent), kStart));
  EXPECT_FALSE(post.may_repeat(answered(429), kStart + seconds(45)));
  EXPECT_FALSE(post.in_time(kStart + seconds(45)));
  EXPECT_FALSE(tried_once({.max_attempts = 1}, true, false).may_repeat(answered(429), kStart));
}

}  // namespace
}  // namespace akr
