#include "admin/session.hpp"

#include <functional>

#include <gtest/gtest.h>
#include <sodium.h>

#include "base/strings.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {
namespace {

const Secret kSecret("0123456789abcdef0123456789abcdef");

std::string base64url(std::string_view raw) {
  std::string text(sodium_base64_ENCODED_LEN(raw.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.pop_back();
  return text;
}

std::string unbase64url(std::string_view text) {
  std::string raw(text.size(), '\0');
  std::size_t length = 0;
  EXPECT_EQ(sodium_base642bin(reinterpret_cast<unsigned char*>(raw.data()), raw.size(), text.data(), text.size(),
                              nullptr, &length, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
            0);
  raw.resize(length);
  return raw;
}

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string hs256(std::string_view text, std::string_view key = kSecret.expose()) {
  crypto_auth_hmacsha256_state state;
  std::string mac(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_init(&state, bytes(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes(text), text.size());
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(mac.data()));
  return mac;
}

std::string hs512(std::string_view text) {
  crypto_auth_hmacsha512_state state;
  std::string mac(crypto_auth_hmacsha512_BYTES, '\0');
  crypto_auth_hmacsha512_init(&state, bytes(kSecret.expose()), kSecret.size());
  crypto_auth_hmacsha512_update(&state, bytes(text), text.size());
  crypto_auth_hmacsha512_final(&state, reinterpret_cast<unsigned char*>(mac.data()));
  return mac;
}

class Session : public testing::Test {
 protected:
  Session() {
    const auto parts = split(token_, '.');
    header_ = unbase64url(parts[0]);
    payload_ = unbase64url(parts[1]);
    signature_ = parts[2];
  }

  // A token that the holder of the secret could sign.
  static std::string sign(const std::string& header, const std::string& payload) {
    const std::string signed_part = base64url(header) + "." + base64url(payload);
    return signed_part + "." + base64url(hs256(signed_part));
  }
  std::string with(const std::string& from, const std::string& to) const {
    std::string payload = payload_;
    const auto at = payload.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << payload;
    return sign(header_, payload.replace(at, from.size(), to));
  }
  std::string number_of(const std::string& claim) const {
    const auto at = payload_.find("\"" + claim + "\":") + claim.size() + 3;
    return payload_.substr(at, payload_.find_first_of(",}", at) - at);
  }

  ManualClock clock_;
  Sessions sessions_{kSecret, "admin", "password", clock_};
  std::string token_ = sessions_.issue();
  std::string header_, payload_, signature_;
};

TEST_F(Session, AcceptsItsOwnTokenUntilItExpires) {
  EXPECT_TRUE(sessions_.accepts(token_));
  EXPECT_TRUE(sessions_.accepts(sign(header_, payload_)));  // the forging tool of this test is able to sign
  clock_.advance(std::chrono::hours(12) - std::chrono::seconds(1));
  EXPECT_TRUE(sessions_.accepts(token_));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(sessions_.accepts(token_));
}

TEST_F(Session, DiesWithThePasswordTheUserAndTheSecret) {
  EXPECT_TRUE(Sessions(kSecret, "admin", "password", clock_).accepts(token_));
  EXPECT_FALSE(Sessions(kSecret, "admin", "new password", clock_).accepts(token_));
  EXPECT_FALSE(Sessions(kSecret, "root", "password", clock_).accepts(token_));
  EXPECT_FALSE(Sessions(Secret("0123456789abcdef0123456789abcdeg"), "admin", "password", clock_).accepts(token_));
}

TEST_F(Session, RefusesOtherAlgorithmsAndHeaders) {
  const std::string p = base64url(payload_);
  int tried = 0;
  for (const char* header : {R"({"alg":"none","typ":"JWT"})",
                             R"({"alg":"None","typ":"JWT"})",
                             R"({"alg":"nOnE","typ":"JWT"})",
                             R"({"alg":"","typ":"JWT"})",
                             R"({"typ":"JWT"})",
                             R"({})",
                             R"({"alg":"HS384","typ":"JWT"})",
                             R"({"alg":"HS512","typ":"JWT"})",
                             R"({"alg":"RS256","typ":"JWT"})",
                             R"({"alg":"ES256","typ":"JWT"})",
                             R"({"alg":"PS256","typ":"JWT"})",
                             R"({"alg":"hs256","typ":"JWT"})",
                             R"({"alg":["HS256"],"typ":"JWT"})",
                             R"({"alg":256,"typ":"JWT"})",
                             R"({"alg":"HS256","typ":"JWE"})",
                             R"({"alg":"HS256"})",
                             R"({"typ":"JWT","alg":"HS256"})",
                             R"({ "alg":"HS256","typ":"JWT"})",
                             R"({"alg":"HS256","typ":"JWT","kid":"../../dev/null"})",
                             R"({"alg":"HS256","typ":"JWT","kid":"' OR 1=1 --"})",
                             R"({"alg":"HS256","typ":"JWT","jku":"https://evil.example/keys"})",
                             R"({"alg":"HS256","typ":"JWT","x5u":"https://evil.example/cert"})",
                             R"({"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":"AAAA"}})",
                             R"({"alg":"HS256","typ":"JWT","crit":["exp"]})",
                             R"({"alg":"HS256","typ":"JWT","b64":false})",
                             R"({"alg":"none","alg":"HS256","typ":"JWT"})",
                             "not json",
                             ""}) {
    const std::string h = base64url(header);
    EXPECT_FALSE(sessions_.accepts(sign(header, payload_))) << header;
    EXPECT_FALSE(sessions_.accepts(h + "." + p + "." + base64url(hs512(h + "." + p)))) << header;
    EXPECT_FALSE(sessions_.accepts(h + "." + p + ".")) << header;
    EXPECT_FALSE(sessions_.accepts(h + "." + p)) << header;
    EXPECT_FALSE(sessions_.accepts(h + "." + p + "." + base64url(hs256(h + "." + p, "")))) << header;
    tried += 5;
  }
  EXPECT_GE(tried, 40);
}

TEST_F(Session, RefusesEveryOtherPayloadEvenIfSignedWithTheSecret) {
  const std::string exp = number_of("exp"), iat = number_of("iat");
  const std::string e = "\"exp\":" + exp, i = "\"iat\":" + iat;
  for (const std::string& forged : {with(e, "\"exp\":\"" + exp + "\""),
                                    with(e, "\"exp\":" + exp + ".0"),
                                    with(e, "\"exp\":1e99"),
                                    with(e, "\"exp\":-1"),
                                    with(e, "\"exp\":0"),
                                    with(e, "\"exp\":null"),
                                    with(e, "\"exp\":9223372036854775807"),
                                    with(e, "\"exp\":99999999999999999999"),
                                    with(e + ",", ""),
                                    with(e, "\"exp\":1," + e),
                                    with(e, e + ",\"exp\":1"),
                                    with(i, "\"iat\":" + exp),
                                    with(i, "\"iat\":\"" + iat + "\""),
                                    with(i, "\"iat\":0"),
                                    with(i, i + ",\"nbf\":" + exp),
                                    with(i, i + ",\"admin\":true"),
                                    with("\"aud\":\"admin\"", "\"aud\":\"proxy\""),
                                    with("\"aud\":\"admin\"", "\"aud\":[\"admin\"]"),
                                    with("\"iss\":\"api-key-rotator\"", "\"iss\":\"other\""),
                                    with("\"sub\":\"admin\"", "\"sub\":\"root\""),
                                    with("\"sub\":\"admin\"", "\"sub\":\"ADMIN\""),
                                    with("\"epoch\":\"", "\"epoch\":\"0"),
                                    with("{", "{ "),
                                    with("{", " {"),
                                    sign(header_, "{}"),
                                    sign(header_, "[]"),
                                    sign(header_, ""),
                                    sign(header_, "null"),
                                    sign(header_, std::string(10'000, '[')),
                                    sign(header_, payload_ + "\n")}) {
    EXPECT_FALSE(sessions_.accepts(forged)) << forged;
  }
}

TEST_F(Session, RefusesEveryFlippedBitOfTheSignature) {
  const std::string mac = unbase64url(signature_);
  const std::string signed_part = token_.substr(0, token_.rfind('.') + 1);
  for (std::size_t bit = 0; bit < mac.size() * 8; ++bit) {
    std::string changed = mac;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sessions_.accepts(signed_part + base64url(changed)));
  }
}

TEST_F(Session, RefusesOtherSpellingsOfAValidToken) {
  const auto parts = split(token_, '.');
  const std::string h(parts[0]), p(parts[1]), s(parts[2]);
  std::string last_bits = s;  // the last character has two bits that decode to nothing
  last_bits.back() = static_cast<char>(last_bits.back() + 1);
  for (const std::string& forged : {std::string(),
                                    std::string("."),
                                    std::string(".."),
                                    std::string("..."),
                                    h,
                                    h + "." + p,
                                    h + "." + p + ".",
                                    token_ + ".",
                                    "." + token_,
                                    token_ + "." + s,
                                    h + "." + s + "." + p,
                                    h + ".." + s,
                                    "." + p + "." + s,
                                    token_ + "=",
                                    token_ + " ",
                                    " " + token_,
                                    token_ + "\n",
                                    "\t" + token_,
                                    token_ + std::string(1, '\0'),
                                    h + "=." + p + "." + s,
                                    h + "." + p + "==." + s,
                                    h + "." + p + "." + s + "A",
                                    h + "." + p + "." + s.substr(1),
                                    h + "." + p + "." + last_bits,
                                    h + "." + p + "." + std::string(s.rbegin(), s.rend()),
                                    to_upper(token_),
                                    to_lower(token_),
                                    "Bearer " + token_,
                                    token_ + std::string(1'000'000, 'A'),
                                    std::string(1'000'000, '.'),
                                    h + "." + p + "." + s + "." + p + "." + s}) {
    EXPECT_FALSE(sessions_.accepts(forged)) << forged.substr(0, 400);
  }
}

TEST_F(Session, ATokenOfAClockFarAheadIsRefused) {
  ManualClock ahead(clock_.wall() + std::chrono::minutes(5));
  EXPECT_FALSE(sessions_.accepts(Sessions(kSecret, "admin", "password", ahead).issue()));
}

}  // namespace
}  // namespace akr
