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

}  // namespace
}  // namespace akr
