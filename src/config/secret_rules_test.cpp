#include "config/secret_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/key32.hpp"
#include "config/load.hpp"

namespace akr {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Placeholder, KnowsTheValuesOfTheDocumentation) {
  for (const char* known :
       {"admin", "ADMIN", "admin123", "your_admin_password", "your-secret-key", "your_very_secret_and_random_jwt_key",
        "your-global-proxy-key", "Your_Secure_Proxy_Key_1", "sk-1234", "sk-1234567890", "sk-1234567890abcdef",
        "sk-1234...", "changeme", "change_me", "password", " secret "}) {
    EXPECT_TRUE(is_placeholder(known)) << known;
  }
  for (const char* real :
       {"", "sk-123", "sk-1234x9", "administrate-me-4711", "correct horse battery", "sk-proj-8f3a"}) {
    EXPECT_FALSE(is_placeholder(real)) << real;
  }
}

TEST(CheckSecrets, RefusesWeakOnesAndSaysHowToInsist) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"ADMIN_PASSWORD", "admin123"},
           {"ADMIN_PASSWORD", "your_admin_password"},
           {"ADMIN_PASSWORD", "elevenchars"},
           {"JWT_SECRET", "your-secret-key"},
           {"JWT_SECRET", "your_very_secret_and_random_jwt_key"},
           {"JWT_SECRET", "thirty-one-bytes-are-not-enough"},
           {"GLOBAL_PROXY_KEYS", "a-real-key-000001,your-global-proxy-key"},
           {"GLOBAL_PROXY_KEYS", "sk-1234"}}) {
    Environment environment{{"GLOBAL_PROXY_KEYS", "a-real-key-000001"}};
    environment[name] = value;
    const auto refused = load_settings(environment, "");
    ASSERT_FALSE(refused) << value;
    EXPECT_EQ(refused.error().field, name);
    EXPECT_THAT(refused.error().message, HasSubstr("ALLOW_INSECURE_DEFAULTS"));
    environment["ALLOW_INSECURE_DEFAULTS"] = "true";
    const auto accepted = load_settings(environment, "");
    ASSERT_TRUE(accepted) << value;
    EXPECT_THAT((*accepted)->warnings, Contains(HasSubstr(name)));
  }
}

TEST(CheckSecrets, AcceptsStrongOnes) {
  const auto settings = load_settings({{"GLOBAL_PROXY_KEYS", "a-real-key-000001"},
                                       {"ADMIN_PASSWORD", "twelve-chars"},
                                       {"JWT_SECRET", "thirty-two-bytes-are-just-enough"}},
                                      "");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_THAT((*settings)->warnings, testing::IsEmpty());
}

TEST(Key32, ReadsHexAndBase64) {
  const std::string bytes(32, '\xfb');
  std::string hex;
  for (int i = 0; i < 32; ++i) hex += i % 2 == 0 ? "fb" : "FB";
  EXPECT_EQ(decode_key32(Secret(hex))->expose(), bytes);
  EXPECT_EQ(decode_key32(Secret(" " + hex + "\n"))->expose(), bytes);
  EXPECT_EQ(decode_key32(Secret("+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s="))->expose(), bytes);
  EXPECT_EQ(decode_key32(Secret("-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s"))->expose(), bytes);
}

TEST(Key32, RefusesEverythingElse) {
  for (const std::string& wrong : {std::string(), std::string("short"), std::string(63, 'a'), std::string(65, 'a'),
                                   std::string(64, 'g'), std::string(48, 'A'), std::string(40, 'A')}) {
    EXPECT_FALSE(decode_key32(Secret(wrong))) << wrong;
  }
}

}  // namespace
}  // namespace akr
