// With accept_body_key, which every migrated service has, 40 strangers put 31 MiB each into TMPDIR before any key was
// looked for.  Stands for: of a body whose sender is not known no more is kept than it takes to find out.
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::TestGateway;

class BodyKeyStrangers : public testing::Test {
 protected:
  void SetUp() override {
    gateway_.add_service({.target_url = upstream_.url(), .llm = true, .more = R"(,"accept_body_key":true)"});
  }
  static std::string head(const std::string& fields) {
    return "POST /llm/s/v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" + fields +
           "\r\n";
  }
  static std::string chunk(const std::string& bytes) {
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + bytes + "\r\n";
  }
  static std::string key_member() { return R"("api_key":")" + std::string(TestGateway::kAccessKey) + '"'; }
  HttpAnswer ask(const std::string& body) {
    HttpClient client = gateway_.client();
    client.send(head("Content-Length: " + std::to_string(body.size()) + "\r\n") + body);
    return client.receive();
  }

  FakeUpstream upstream_{[](test::UpstreamCall& call) { call.answer(200, "{}"); }};
  TestGateway gateway_;
};

TEST_F(BodyKeyStrangers, NoMoreThan64KibibytesAreAwaited) {
  HttpClient client = gateway_.client();
  client.send(head("Transfer-Encoding: chunked\r\n") + chunk(R"({"a":")" + std::string(66'000, 'x')));
  const HttpAnswer refused = client.receive();  // the body goes on, for all we know
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("first 64 KiB"), std::string::npos) << refused.body;

  HttpClient large = gateway_.client();
  large.send(head("Content-Length: 33554000\r\n"));
  const HttpAnswer too_large = large.receive();
  EXPECT_EQ(too_large.status, 413);
  EXPECT_NE(too_large.body.find("1048576 bytes"), std::string::npos) << too_large.body;
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(BodyKeyStrangers, AMemberBehind64KibibytesIsNotFound) {
  EXPECT_EQ(ask(R"({"a":")" + std::string(66'000, 'x') + "\"," + key_member() + "}").status, 401);
  EXPECT_EQ(ask(R"({"a":{)" + key_member() + "}}").status, 401);  // nor one of something else
  EXPECT_EQ(ask("[" + key_member() + "]").status, 401);
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(BodyKeyStrangers, WithTheKeyTheRestIsReadAsAnybodys) {
  const std::string rest = R"("a":")" + std::string(600'000, 'x') + "\"}";
  HttpClient client = gateway_.client();
  client.send(head("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(client.receive().status, 100);
  client.send(chunk("{" + key_member().substr(0, 14)));
  client.send(chunk(key_member().substr(14) + ","));
  for (std::size_t at = 0; at < rest.size(); at += 60'000) client.send(chunk(rest.substr(at, 60'000)));
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(upstream_.last().body, "{" + rest);
}

TEST_F(BodyKeyStrangers, AMemberThatComesTwiceCountsNotWhereverItIs) {
  EXPECT_EQ(ask("{" + key_member() + "," + key_member() + "}").status, 401);
  EXPECT_EQ(ask("{" + key_member() + R"(,"a":")" + std::string(200'000, 'x') + R"(","api_key":{}})").status, 401);
  EXPECT_EQ(ask("{" + key_member() + R"(,"a":)" + std::string(200'000, ' ')).status, 401);  // no JSON
  EXPECT_EQ(upstream_.requests(), 0);
}

// A body key was no subject to the list of methods.
TEST_F(BodyKeyStrangers, TheMethodIsLookedAtAsWell) {
  gateway_.add_service(
      {.slug = "get", .target_url = upstream_.url(), .method = "GET", .more = R"(,"accept_body_key":true)"});
  const std::string body = "{" + key_member() + "}";
  const HttpAnswer refused = gateway_.client().ask(TestGateway::request("POST", "/proxy/get/a", "", body));
  EXPECT_EQ(refused.status, 405) << refused.body;
  EXPECT_EQ(upstream_.requests(), 0);
}

}  // namespace
}  // namespace akr
