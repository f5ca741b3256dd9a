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
    service_.type = type;
    text_ = "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
    EXPECT_EQ(head_.parse_request(text_), net::ParseStatus::kDone);
    grant_ = {};
    const auto who = authenticate(head_, query, service_, keys_, grant_);
    if (!who) {
      error_ = who.error();
      return std::string(to_string(who.error().code));
    }
    return "";
  }
  const AccessKeys keys_{{Secret(kOne), Secret(kTwo)}};
  Service service_;
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

TEST_F(Authenticate, AccessKeysThatDisagreeAreRefusedInAnyOrder) {
  const std::string one = "X-Proxy-Key: " + kOne + "\r\n";
  for (const char* place : {"X-Proxy-Key: ", "Authorization: Bearer ", "x-api-key: ", "x-goog-api-key: ",
                            "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key."}) {
    EXPECT_EQ(ask(one + place + kTwo + "\r\n"), "conflicting_credentials");
    EXPECT_EQ(ask(place + kTwo + "\r\n" + one), "conflicting_credentials");
  }
  EXPECT_EQ(ask(one, "key=" + kTwo, ServiceType::kLlm), "conflicting_credentials");
  EXPECT_EQ(ask("", "key=" + kOne + "&key=" + kTwo), "conflicting_credentials");
}

// Claude Code sends its gateway's token as Bearer and a cached key of Anthropic's as x-api-key, and was refused: "two
// credentials disagree".  The kind: what is not a credential here speaks against one that is.
TEST_F(Authenticate, AStaleCredentialBesideAnAccessKeyCountsForNothing) {
  for (const char* mine : {"X-Proxy-Key: ", "Authorization: Bearer ", "x-api-key: ", "x-goog-api-key: "}) {
    for (const char* stale : {"X-Proxy-Key: ", "Authorization: Bearer ", "x-api-key: ", "api-key: ", "Cookie: a=",
                              "Sec-WebSocket-Protocol: openai-insecure-api-key."}) {
      const std::string both[] = {mine + kTwo + "\r\n", stale + std::string("sk-ant-api03-stale\r\n")};
      EXPECT_EQ(ask(both[0] + both[1]), "") << mine << stale;
      EXPECT_EQ(ask(both[1] + both[0]), "") << mine << stale;
      EXPECT_EQ(grant_.fingerprint, fingerprint(kTwo));
    }
    EXPECT_EQ(ask(mine + kTwo + "\r\n", "key=AIza-stale", ServiceType::kLlm), "");
    EXPECT_TRUE(grant_.key_in_query);  // it must not travel on: the provider would take it for ours
  }
  EXPECT_EQ(ask("x-api-key: stale\r\n", "key=" + kOne), "");
  EXPECT_EQ(ask("x-api-key: stale\r\nAuthorization: Bearer staler\r\n", "key=stalest"), "invalid_proxy_key");
  EXPECT_EQ(error_.code, ErrorCode::kAccessKeyInvalid);
}

// An access key in an odd spelling of the subprotocol went to the provider, also of a client that was let in by another
// place.  The kind: a credential that the strip lists do not find.
TEST_F(Authenticate, ASubprotocolThatMightCarryTheKeyPastUsIsRefused) {
  const std::string known = "X-Proxy-Key: " + kOne + "\r\n";
  const std::string field = "Sec-WebSocket-Protocol: ";
  const std::string mark = "openai-insecure-api-key";
  for (const std::string& odd :
       {'"' + mark + "." + kOne + '"', mark + " ." + kOne, mark + ". " + kOne, mark + ".," + kOne, mark + ",." + kOne,
        "realtime " + mark + "." + kOne, "OpenAI_Insecure_API_Key." + kOne, kOne, "token, " + kOne, "key." + kOne,
        "a.b.c.d.e.f.g.h." + kTwo, "a, ," + mark + ";" + kOne}) {
    EXPECT_EQ(ask(known + field + odd + "\r\n"), "bad_request") << odd;
    EXPECT_EQ(ask(field + "realtime\r\n" + field + odd + "\r\n" + known), "bad_request") << odd;
    EXPECT_EQ(error_.message.find(kOne), std::string::npos) << error_.message;
  }
  EXPECT_EQ(ask(known + field + "realtime,, other.v1 ,\r\n" + field + mark + "." + kOne + "\r\n"), "");
}

// Browsers can set no field on a websocket, so OpenAI's clients put the key into a subprotocol: that was 401.
TEST_F(Authenticate, ASubprotocolMayHoldTheKey) {
  const std::string field = "Sec-WebSocket-Protocol: ";
  EXPECT_EQ(ask(field + "realtime, openai-insecure-api-key." + kTwo + ",openai-beta.realtime-v1\r\n"), "");
  EXPECT_EQ(grant_.fingerprint, fingerprint(kTwo));
  EXPECT_EQ(ask(field + "realtime\r\n" + field + "openai-insecure-api-key." + kOne + "\r\n"), "");
  EXPECT_EQ(ask(field + "openai-insecure-api-key.unknown\r\n"), "invalid_proxy_key");
  EXPECT_EQ(error_.code, ErrorCode::kAccessKeyInvalid);
  for (const std::string& none : {std::string("realtime"), std::string("openai-insecure-api-key."), kOne}) {
    EXPECT_EQ(ask(field + none + "\r\n"), "invalid_proxy_key");
    EXPECT_EQ(error_.code, ErrorCode::kAccessKeyMissing) << none;
  }
}

// A stock client of a REST API can change its URL and its key, but not where it puts it: DeepL's was refused.
TEST_F(Authenticate, AGenericServicesOwnHeaderCounts) {
  service_.key_placement = KeyPlacement{KeyLocation::kHeader, "Authorization", "DeepL-Auth-Key "};
  for (const char* before : {"DeepL-Auth-Key ", "deepl-auth-key  ", "", "Bearer "}) {
    EXPECT_EQ(ask("authorization: " + std::string(before) + kTwo + "\r\n"), "") << before;
  }
  EXPECT_EQ(ask("Authorization: Other " + kTwo + "\r\n"), "invalid_proxy_key");
  service_.key_placement->name = "X-Subscription-Token";
  service_.key_placement->prefix = "";
  EXPECT_EQ(ask("X-Subscription-Token: " + kOne + "\r\n"), "");
  EXPECT_EQ(ask("X-Subscription-Token: " + kOne + "\r\nX-Proxy-Key: " + kTwo + "\r\n"), "conflicting_credentials");
  EXPECT_EQ(ask("X-Other-Token: " + kOne + "\r\n"), "invalid_proxy_key");
  EXPECT_EQ(ask("X-Subscription-Token: " + kOne + "\r\n", "", ServiceType::kLlm), "invalid_proxy_key");
}

TEST_F(Authenticate, AGenericServicesOwnParameterCounts) {
  service_.key_placement = KeyPlacement{KeyLocation::kQuery, "apikey", ""};
  EXPECT_EQ(ask("", "module=stats&apikey=" + kOne), "");
  EXPECT_TRUE(grant_.own_in_query);
  EXPECT_FALSE(grant_.key_in_query);
  EXPECT_EQ(ask("X-Proxy-Key: " + kOne + "\r\n", "apikey=stale"), "");
  EXPECT_TRUE(grant_.own_in_query);
  EXPECT_EQ(ask("X-Proxy-Key: " + kOne + "\r\n", "apikey=" + kTwo), "conflicting_credentials");
  EXPECT_EQ(ask("apikey: " + kOne + "\r\n"), "invalid_proxy_key");
  EXPECT_EQ(ask("", "apikey=" + kOne, ServiceType::kLlm), "invalid_proxy_key");
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
  EXPECT_EQ(*authenticate_body_key(kOne, keys), fingerprint(kOne));
  EXPECT_EQ(authenticate_body_key("", keys).error().code, ErrorCode::kAccessKeyMissing);
  EXPECT_EQ(authenticate_body_key("other", keys).error().code, ErrorCode::kAccessKeyInvalid);
}

}  // namespace
}  // namespace akr
