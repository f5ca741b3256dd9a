// A browser's access key lies in a websocket's subprotocol.  It travelled on to the provider, also where it had let the
// client in by `?key=`.  The kind: a credential in a place that the strip lists do not know.
#include "proxy/request/subprotocols.hpp"

#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

class Subprotocols : public testing::Test {
 protected:
  const net::MessageHead& head(const std::string& fields) {
    text_ = "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
    EXPECT_EQ(head_.parse_request(text_), net::ParseStatus::kDone);
    return head_;
  }
  std::string travels(const std::string& fields) {
    std::string out;
    append_subprotocols(head(fields), out);
    return out;
  }
  std::string text_;
  net::MessageHead head_;
};

TEST_F(Subprotocols, TheKeyAndAccountsStayAndTheOthersTravelInOrder) {
  const std::string field = "Sec-WebSocket-Protocol: ";
  EXPECT_EQ(travels(field + "realtime, openai-insecure-api-key.K,openai-beta.realtime-v1\r\n"),
            field + "realtime, openai-beta.realtime-v1\r\n");
  EXPECT_EQ(travels(field + "openai-organization.o, a\r\n" + field + "OpenAI-Insecure-API-Key.K\r\n" + field +
                    "openai-project.p ,, b\r\n"),
            field + "a, b\r\n");
  EXPECT_EQ(travels(field + "openai-insecure-api-key.K\r\n"), "");
  EXPECT_EQ(travels(""), "");
}

TEST_F(Subprotocols, OnlyWhatTravelledMayBeChosen) {
  const net::MessageHead& request =
      head("Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.K\r\nSec-WebSocket-Protocol: other\r\n");
  EXPECT_TRUE(may_be_chosen(request, "realtime"));
  EXPECT_TRUE(may_be_chosen(request, "other"));
  EXPECT_FALSE(may_be_chosen(request, "openai-insecure-api-key.K"));
  EXPECT_FALSE(may_be_chosen(request, "never-offered"));
  EXPECT_FALSE(may_be_chosen(head(""), "realtime"));
}

// A key in an odd spelling of its subprotocol travelled on: in quotes, behind a space, with other marks.  The kind: a
// list that we and its writer read differently.
TEST_F(Subprotocols, WhatIsNoListOfTokensDoesNotTravel) {
  for (const char* odd : {"\"openai-insecure-api-key.K\"", "openai-insecure-api-key .K", "openai-insecure-api-key. K",
                          "a openai-insecure-api-key.K", "OPENAI_INSECURE_API_KEY.K", "openai.insecure.api.key.K",
                          "insecure-api-key.K", "openai-insecure-api-key.", "openai-insecure-api-key",
                          "openai-insecure-api-key;K", "x\tK", "a/b", "\xc2\xa0K"}) {
    EXPECT_FALSE(is_clear_subprotocol(odd)) << odd;
    EXPECT_EQ(travels("Sec-WebSocket-Protocol: " + std::string(odd) + "\r\n"), "") << odd;
    EXPECT_FALSE(may_be_chosen(head("Sec-WebSocket-Protocol: " + std::string(odd) + "\r\n"), odd)) << odd;
  }
  for (const char* plain : {"realtime", "openai-beta.realtime-v1", "graphql-transport-ws", "v12.stomp", "mqtt",
                            "base64url.bearer.authorization.k8s.io", "openai-insecure-api-key.K"})
    EXPECT_TRUE(is_clear_subprotocol(plain)) << plain;
}

}  // namespace
}  // namespace akr
