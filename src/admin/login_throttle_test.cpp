#include "admin/login_throttle.hpp"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include "admin/password.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {
namespace {

// A login whose password is looked at.
Result<LoginAttempt> guess(LoginThrottle& throttle, std::string_view client_ip, TimePoint now) {
  auto attempt = throttle.begin_attempt(client_ip, now);
  if (!attempt) return attempt;
  if (auto guessed = attempt->guess(now); !guessed) return guessed.error();
  return attempt;
}

TEST(LoginThrottle, TheSixthFailureWaitsForTheWindowToEnd) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(guess(throttle, "1.2.3.4", clock.now()));
    clock.advance(std::chrono::minutes(1));
  }
  const auto refused = guess(throttle, "1.2.3.4", clock.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooManyRequests);
  EXPECT_EQ(refused.error().retry_after, 600);
  EXPECT_TRUE(guess(throttle, "1.2.3.5", clock.now()));  // an admin elsewhere gets in
  clock.advance(std::chrono::minutes(10));
  EXPECT_TRUE(guess(throttle, "1.2.3.4", clock.now()));
}

TEST(LoginThrottle, ASuccessTakesTheFailuresBack) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 100; ++i) {
    auto attempt = guess(throttle, "1.2.3.4", clock.now());
    ASSERT_TRUE(attempt);
    if (i % 5 == 4) attempt->succeeded();
  }
}

TEST(LoginThrottle, WhoNeverGuessesHasNotFailed) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(throttle.begin_attempt("1.2.3.4", clock.now()));
  EXPECT_EQ(throttle.size(), 0U);
}

TEST(LoginThrottle, LoginsUnderWayHaveALimitAndGuessInTurn) {
  ManualClock clock;
  LoginThrottle throttle;
  std::vector<LoginAttempt> under_way;
  for (int i = 0; i < LoginThrottle::kUnderWay; ++i)
    under_way.push_back(throttle.begin_attempt("1.2.3.4", clock.now()).value());
  const auto refused = throttle.begin_attempt("1.2.3.4", clock.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooManyRequests);
  EXPECT_EQ(refused.error().retry_after, 1);
  EXPECT_TRUE(throttle.begin_attempt("1.2.3.5", clock.now()));
  int guesses = 0;
  for (LoginAttempt& attempt : under_way) guesses += static_cast<bool>(attempt.guess(clock.now()));
  EXPECT_EQ(guesses, LoginThrottle::kFailures);
  under_way.clear();
  EXPECT_FALSE(throttle.begin_attempt("1.2.3.4", clock.now()));
}

TEST(LoginThrottle, AnIpv6NetworkIsOneClient) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(guess(throttle, "2001:db8:1:2::" + std::to_string(i), clock.now()));
  }
  EXPECT_FALSE(guess(throttle, "2001:db8:1:2:ffff::1", clock.now()));
  EXPECT_TRUE(guess(throttle, "2001:db8:1:3::1", clock.now()));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(guess(throttle, "::ffff:9.9.9.9", clock.now()));
  EXPECT_FALSE(guess(throttle, "9.9.9.9", clock.now()));
}

TEST(LoginThrottle, MemoryIsBounded) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 50'000; ++i) EXPECT_TRUE(guess(throttle, std::to_string(i), clock.now()));
  EXPECT_LE(throttle.size(), 10'000U);
  clock.advance(std::chrono::minutes(15));
  EXPECT_TRUE(guess(throttle, "x", clock.now()));
  EXPECT_EQ(throttle.size(), 1U);
}

TEST(PasswordVerifier, KnowsPlainAndHashedPasswords) {
  char hash[crypto_pwhash_STRBYTES];
  ASSERT_EQ(crypto_pwhash_str_alg(hash, "correct horse", 13, 1, 8192 * 2, crypto_pwhash_ALG_ARGON2ID13), 0);
  for (const PasswordVerifier& verifier :
       {PasswordVerifier::plain(Secret("correct horse")), PasswordVerifier::argon2id(hash)}) {
    EXPECT_TRUE(verifier.matches("correct horse"));
    for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
      EXPECT_FALSE(verifier.matches(wrong)) << wrong;
    }
    EXPECT_FALSE(verifier.matches(std::string(100'000, 'x')));
  }
  EXPECT_FALSE(PasswordVerifier::plain(Secret("")).matches(""));
  EXPECT_FALSE(PasswordVerifier::argon2id("").matches(""));
  EXPECT_FALSE(PasswordVerifier::argon2id("garbage").matches("garbage"));
}

}  // namespace
}  // namespace akr
