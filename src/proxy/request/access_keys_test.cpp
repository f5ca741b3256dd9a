// Access keys were compared one by one: 1,000 of them cost 20 us a request.  The kind: work per request that grows with
// what is configured.  Now one look-up under a hash that strangers cannot steer, and one comparison.
#include "proxy/request/access_keys.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/strings.hpp"

namespace akr {
namespace {

std::string key_number(int number) { return "access-key-number-" + std::to_string(number); }

AccessKeys many(int count) {
  std::vector<Secret> keys;
  for (int i = 0; i < count; ++i) keys.emplace_back(key_number(i));
  return AccessKeys(std::move(keys));
}

TEST(AccessKeysTest, EveryOneOfManyIsFoundByItsWholeText) {
  const AccessKeys keys = many(10'000);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(keys.match(key_number(i)), fingerprint(key_number(i)));
  for (const std::string& other : {key_number(10'000), key_number(1) + "x", std::string("access-key-number-"),
                                   " " + key_number(1), std::string(1 << 20, 'a')}) {
    EXPECT_EQ(keys.match(other), "") << other.substr(0, 40);
  }
}

TEST(AccessKeysTest, NothingLetsInWhoPresentsNothing) {
  EXPECT_EQ(many(0).match(""), "");
  EXPECT_EQ(many(0).match("x"), "");
  std::vector<Secret> blank;
  blank.emplace_back("");
  EXPECT_EQ(AccessKeys(std::move(blank)).match(""), "");
}

TEST(AccessKeysTest, AKeyThatIsGivenTwiceIsOneKey) {
  std::vector<Secret> twice;
  for (int i = 0; i < 2; ++i) twice.emplace_back("same-access-key");
  EXPECT_EQ(AccessKeys(std::move(twice)).match("same-access-key"), fingerprint("same-access-key"));
}

}  // namespace
}  // namespace akr
