#include "store/key_cipher.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

const Secret kMaster("0123456789abcdef0123456789abcdef");
const std::string kPlace = key_place(KeyId{7}, ServiceId{3}, 1);

TEST(KeyCipher, OpensWhatItSealed) {
  const KeyCipher cipher(kMaster);
  for (const std::string& plain :
       {std::string("sk-1"), std::string(8192, 'x'), std::string(), std::string("\0\xff", 2)}) {
    const std::string sealed = cipher.seal(plain, kPlace);
    const auto opened = cipher.open(sealed, kPlace);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->expose(), plain);
    if (plain.size() > 3) EXPECT_EQ(sealed.find(plain), std::string::npos);
  }
}

TEST(KeyCipher, SealsTheSameTextDifferentlyEachTime) {
  const KeyCipher cipher(kMaster);
  EXPECT_NE(cipher.seal("sk-1", kPlace), cipher.seal("sk-1", kPlace));
}

TEST(KeyCipher, RefusesEveryFlippedBit) {
  const KeyCipher cipher(kMaster);
  const std::string sealed = cipher.seal("sk-secret", kPlace);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = sealed;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(cipher.open(changed, kPlace)) << i << "/" << bit;
    }
  }
}

TEST(KeyCipher, RefusesShortLongAndForeignTexts) {
  const KeyCipher cipher(kMaster);
  const std::string sealed = cipher.seal("sk-secret", kPlace);
  for (const std::string& bad : {std::string(), std::string("AAAA"), std::string("not base64!"), sealed + "AAAA",
                                 sealed.substr(0, sealed.size() - 4), sealed + " ", "\n" + sealed}) {
    EXPECT_FALSE(cipher.open(bad, kPlace)) << bad;
  }
}

TEST(KeyCipher, ASealedTextBelongsToItsPlace) {
  const KeyCipher cipher(kMaster);
  const std::string sealed = cipher.seal("sk-secret", kPlace);
  EXPECT_FALSE(cipher.open(sealed, key_place(KeyId{8}, ServiceId{3}, 1)));  // rows swapped
  EXPECT_FALSE(cipher.open(sealed, key_place(KeyId{7}, ServiceId{4}, 1)));
  EXPECT_FALSE(cipher.open(sealed, key_place(KeyId{7}, ServiceId{3}, 2)));
  EXPECT_FALSE(cipher.open(sealed, egress_proxy_place(ServiceId{7})));
}

TEST(KeyCipher, AnotherMasterOpensNothingAndFindsNothing) {
  const KeyCipher cipher(kMaster);
  const KeyCipher other(Secret("0123456789abcdef0123456789abcdeg"));
  EXPECT_FALSE(other.open(cipher.seal("sk-secret", kPlace), kPlace));
  EXPECT_EQ(cipher.lookup_hash("sk-secret"), KeyCipher(kMaster).lookup_hash("sk-secret"));
  EXPECT_NE(cipher.lookup_hash("sk-secret"), other.lookup_hash("sk-secret"));
  EXPECT_EQ(cipher.lookup_hash("sk-secret").size(), 64U);
}

}  // namespace
}  // namespace akr
