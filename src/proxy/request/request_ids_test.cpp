// What a request is called: the client's own name for it if that can be shown anywhere, else a new one.
#include "proxy/request/request_ids.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

std::string id_of(RequestIds& ids, const std::string& given) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: " + given + "\r\n\r\n";
  net::MessageHead head;
  EXPECT_EQ(head.parse_request(text), net::ParseStatus::kDone);
  return ids.id_of(head);
}

TEST(RequestIds, KeepWhatTheClientSaysIfItIsHarmless) {
  RequestIds ids(1);
  for (const std::string& given : {std::string("a"), std::string("Aa0-_.:"), std::string(128, 'x')})
    EXPECT_EQ(id_of(ids, given), given);
  for (const std::string& given : {std::string(129, 'x'), std::string("<b>"), std::string("a b"), std::string("a\"b"),
                                   std::string("\xc3\xa9"), std::string()}) {
    const std::string id = id_of(ids, given);
    EXPECT_NE(id, given);
    EXPECT_EQ(id.size(), 13U);
  }
}

TEST(RequestIds, AreNewEachTimeAndInEachProcess) {
  RequestIds one(1), other(2), unseeded, again;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    for (RequestIds* ids : {&one, &other, &unseeded, &again}) EXPECT_TRUE(seen.insert(id_of(*ids, "")).second);
  }
}

}  // namespace
}  // namespace akr
