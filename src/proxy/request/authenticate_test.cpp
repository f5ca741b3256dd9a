#include "proxy/request/authenticate.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/strings.hpp"

namespace akr {
namespace {

const std::string kOne = "first-access-key";
const std::string kTwo = "second-access-key";

class Authenticate : public testing::Test {
 protected:
  // "" = granted, else the code.
  std::string ask(const std::string& fields, std::string_view query = "", ServiceType type = ServiceType::kGeneric) {
    text_ = "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
    EXPECT_EQ(head_.parse_request(text_), net::ParseStatus::kDone);
    auto who = authenticate(head_, query, type, keys_);
    if (!who) {
      error_ = who.error();
      return std::string(to_string(who.error().code));
    }
    grant_ = *who;
    return "";
  }
  const AccessKeys keys_{{Secret(kOne), Secret(kTwo)}};
  std::string text_;
  net::MessageHead head_;
  AccessGrant grant_;
  Error error_;
};

TEST_F(Authenticate, EveryPlaceOfAStockSdkCounts) {
  for (const char* place : {"X-Proxy-Key: ", "x-api-key: ", "X-Anthropic-Api-Key: ", "api-key: ", "x-goog-api-key: ",
                            "Authorization: Bearer ", "AUTHORIZATION: bEARER   "}) {
    EXPECT_EQ(ask(place + kTwo + "\r\n"), "") << place;
    EXPECT_EQ(grant_.fingerprint, fingerprint(kTwo));
    EXPECT_FALSE(grant_.key_in_query);
  }
  EXPECT_EQ(ask("", "a=b&key=" + kOne), "");
  EXPECT_TRUE(grant_.key_in_query);
}

TEST_F(Authenticate, EqualCredentialsInSeveralPlacesAreOne) {
  const std::string everywhere =
      "X-Proxy-Key: " + kOne + "\r\nAuthorization: Bearer " + kOne + "\r\nx-api-key: " + kOne + "\r\n";
  for (ServiceType type : {ServiceType::kGeneric, ServiceType::kLlm}) {
    EXPECT_EQ(ask(everywhere, "key=" + kOne, type), "");
    EXPECT_TRUE(grant_.key_in_query);  // it must not travel on
  }
}

TEST_F(Authenticate, CredentialsThatDisagreeAreRefusedInAnyOrder) {
  const std::string one = "X-Proxy-Key: " + kOne + "\r\n";
  for (const std::string& other : {kTwo, std::string("unknown")}) {
    for (const char* place : {"X-Proxy-Key: ", "Authorization: Bearer ", "x-api-key: ", "x-goog-api-key: "}) {
      EXPECT_EQ(ask(one + place + other + "\r\n"), "conflicting_credentials");
      EXPECT_EQ(ask(place + other + "\r\n" + one), "conflicting_credentials");
    }
    EXPECT_EQ(ask(one, "key=" + other, ServiceType::kLlm), "conflicting_credentials");
  }
  EXPECT_EQ(ask("", "key=" + kOne + "&key=" + kTwo), "conflicting_credentials");
}

TEST_F(Authenticate, AGenericServicesOwnKeyParameterIsItsBusiness) {
  const std::string one = "X-Proxy-Key: " + kOne + "\r\n";
  EXPECT_EQ(ask(one, "key=sort-by-name"), "");
  EXPECT_FALSE(grant_.key_in_query);
  EXPECT_EQ(ask(one, "key=" + kTwo), "conflicting_credentials");
}

TEST_F(Authenticate, MissingNamesThePlaces) {
  for (const std::string fields : {"", "X-Proxy-Key:\r\n", "Authorization: Basic eDp5\r\n", "Authorization: Bearer\r\n",
                                   "Authorization: Bearer  \r\n"}) {
    EXPECT_EQ(ask(fields), "invalid_proxy_key") << fields;
    EXPECT_EQ(error_.code, ErrorCode::kAccessKeyMissing) << fields;
    for (const char* place : {"X-Proxy-Key", "Bearer", "x-api-key", "api-key", "x-goog-api-key", "?key="}) {
      EXPECT_NE(error_.message.find(place), std::string::npos);
    }
  }
}

TEST_F(Authenticate, UnknownKeysAreInvalidAndNotRepeated) {
  for (const std::string& wrong :
       {kOne + "x", kOne.substr(1), std::string("' OR 1=1 --"), kOne + "," + kTwo, std::string(8000, 'k')}) {
    ask("X-Proxy-Key: " + wrong + "\r\n");
    EXPECT_EQ(error_.code, ErrorCode::kAccessKeyInvalid);
    EXPECT_EQ(error_.message.find(wrong), std::string::npos);
  }
}

TEST_F(Authenticate, EscapedQueryKeysAreDecoded) {
  EXPECT_EQ(ask("", "k%65y=first%2Daccess%2dkey"), "");
  EXPECT_TRUE(grant_.key_in_query);
}

TEST(AccessKeys, NoneConfiguredMeansClosed) {
  const AccessKeys none({});
  EXPECT_EQ(none.match(""), "");
  EXPECT_EQ(none.match("x"), "");
  EXPECT_FALSE(authenticate_body_key("x", none));
}

TEST(AccessKeys, AnEmptyConfiguredKeyMatchesNothing) {
  const AccessKeys keys({Secret("")});
  EXPECT_EQ(keys.match(""), "");
}

TEST(AccessKeys, BodyKeysAreTheSameKeys) {
  const AccessKeys keys({Secret(kOne)});
  EXPECT_EQ(authenticate_body_key(kOne, keys)->fingerprint, fingerprint(kOne));
  EXPECT_EQ(authenticate_body_key("", keys).error().code, ErrorCode::kAccessKeyMissing);
  EXPECT_EQ(authenticate_body_key("other", keys).error().code, ErrorCode::kAccessKeyInvalid);
}

}  // namespace
}  // namespace akr
