// POST /admin/simulate, then the request itself: the upstream sees the key that was named, and the client gets the
// error that was foretold.
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr::test {
namespace {

class Simulate : public testing::Test {
 protected:
  void answer(UpstreamCall& call) {
    if (call.request().field("x-fail").empty()) return call.answer(200, "ok");
    call.answer(429, "slow down", "Retry-After: 30\r\n");
  }
  boost::json::object ask(const std::string& body) {
    const HttpAnswer answer = gateway_.admin("POST", "/admin/simulate", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return boost::json::parse(answer.body).as_object();
  }
  // The client has its answer a moment before the key is given back, which least_in_flight can see.
  void wait_until_idle(std::int64_t service) {
    const std::string path = "/admin/proxy-configs/" + std::to_string(service) + "/keys";
    while (gateway_.admin("GET", path).body.find("\"in_flight\":1") != std::string::npos) std::this_thread::yield();
  }
  std::string seen() const { return upstream_.last().field("authorization"); }

  FakeUpstream upstream_{[this](UpstreamCall& call) { answer(call); }};
  TestGateway gateway_;
};

TEST_F(Simulate, TheUpstreamSeesTheKeyThatWasNamed) {
  for (const std::string policy :
       {"round_robin", "weighted", "fill_first", "least_used", "least_in_flight", "sticky"}) {
    const auto id = gateway_.add_service(
        {.slug = policy, .target_url = upstream_.url(), .keys = 5, .more = R"(,"selection_policy":")" + policy + "\""});
    for (int i = 0; i < 12; ++i) {
      wait_until_idle(id);
      const auto answer = ask(R"({"slug":")" + policy + "\"}");
      EXPECT_EQ(ask(R"({"slug":")" + policy + "\"}").at("key").at("id"), answer.at("key").at("id"));
      ASSERT_EQ(gateway_.get("/proxy/" + policy + "/x").status, 200);
      const std::string key = seen().substr(std::string("Bearer ").size());
      EXPECT_EQ(answer.at("key").at("fingerprint").as_string(), fingerprint(key)) << policy << " " << i;
      EXPECT_TRUE(answer.at("certain").as_bool());
    }
  }
}

TEST_F(Simulate, AConversationsKeyIsNamedByTheClientsFingerprint) {
  gateway_.add_service({.target_url = upstream_.url(), .keys = 5, .more = R"(,"selection_policy":"sticky")"});
  ASSERT_EQ(gateway_.get("/proxy/s/x", "X-Session-Id: talk\r\n").status, 200);
  const std::string key = seen().substr(std::string("Bearer ").size());
  for (int i = 0; i < 3; ++i) ASSERT_EQ(gateway_.get("/proxy/s/x").status, 200);
  const auto answer =
      ask(R"({"slug":"s","session":"talk","access_key":")" + fingerprint(TestGateway::kAccessKey) + "\"}");
  EXPECT_TRUE(answer.at("affinity").as_bool());
  EXPECT_EQ(answer.at("key").at("fingerprint").as_string(), fingerprint(key));
}

TEST_F(Simulate, TheClientGetsTheErrorThatWasForetold) {
  gateway_.add_service({.target_url = upstream_.url(), .keys = 2, .more = R"(,"outage_guard":false)"});
  gateway_.add_service({.slug = "empty", .target_url = upstream_.url(), .keys = 0});
  gateway_.get("/proxy/s/x", "X-Fail: 1\r\n");
  for (const std::string slug : {"s", "empty"}) {
    const auto error = ask(R"({"slug":")" + slug + "\"}").at("error").as_object();
    const HttpAnswer answer = gateway_.get("/proxy/" + slug + "/x");
    EXPECT_EQ(error.at("status").as_int64(), answer.status);
    EXPECT_NE(answer.body.find(std::string(error.at("code").as_string())), std::string::npos) << answer.body;
    const std::string wait = error.contains("retry_after") ? std::to_string(error.at("retry_after").as_int64()) : "";
    EXPECT_EQ(answer.field("retry-after"), wait);
  }
  const auto answer = ask(R"({"slug":"s"})");
  EXPECT_EQ(answer.at("skipped").at("cooling").as_int64(), 2);
}

}  // namespace
}  // namespace akr::test
