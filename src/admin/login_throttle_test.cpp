#include "admin/login_throttle.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include "admin/password.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {
namespace {

TEST(LoginThrottle, TheSixthFailureWaitsForTheWindowToEnd) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(throttle.begin_attempt("1.2.3.4", clock.now()));
    clock.advance(std::chrono::minutes(1));
  }
  const auto refused = throttle.begin_attempt("1.2.3.4", clock.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooManyRequests);
  EXPECT_EQ(refused.error().retry_after, 600);
  EXPECT_TRUE(throttle.begin_attempt("1.2.3.5", clock.now()));  // an admin elsewhere gets in
  clock.advance(std::chrono::minutes(10));
  EXPECT_TRUE(throttle.begin_attempt("1.2.3.4", clock.now()));
}

TEST(LoginThrottle, ASuccessTakesTheFailuresBack) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(throttle.begin_attempt("1.2.3.4", clock.now()));
    if (i % 5 == 4) throttle.succeeded("1.2.3.4");
  }
}

TEST(LoginThrottle, AnIpv6NetworkIsOneClient) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(throttle.begin_attempt("2001:db8:1:2::" + std::to_string(i), clock.now()));
  }
  EXPECT_FALSE(throttle.begin_attempt("2001:db8:1:2:ffff::1", clock.now()));
  EXPECT_TRUE(throttle.begin_attempt("2001:db8:1:3::1", clock.now()));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(throttle.begin_attempt("::ffff:9.9.9.9", clock.now()));
  EXPECT_FALSE(throttle.begin_attempt("9.9.9.9", clock.now()));
}

TEST(LoginThrottle, MemoryIsBounded) {
  ManualClock clock;
  LoginThrottle throttle;
  for (int i = 0; i < 50'000; ++i) EXPECT_TRUE(throttle.begin_attempt(std::to_string(i), clock.now()));
  EXPECT_LE(throttle.size(), 10'000U);
  clock.advance(std::chrono::minutes(15));
  EXPECT_TRUE(throttle.begin_attempt("x", clock.now()));
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
