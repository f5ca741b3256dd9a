// Two validations of keys whose provider was silent froze the admin API for 30 s: each held one of the two threads that
// wait for the store.  Stands for: nobody holds a thread while somebody else's machine thinks.
#include <chrono>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::eventually;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::TestGateway;

class ValidationHoldsNoThread : public testing::Test {
 protected:
  void SetUp() override {
    service_ = gateway_.add_service({.target_url = upstream_.url(), .keys = 4, .llm = true});
    const HttpAnswer login = gateway_.client().ask(
        TestGateway::request("POST", "/admin/login", "Content-Type: application/json\r\n",
                             R"({"username":"admin","password":")" + std::string(TestGateway::kPassword) + "\"}"));
    token_ = boost::json::parse(login.body).as_object().at("access_token").as_string().c_str();
    const HttpAnswer keys = gateway_.admin("GET", "/admin/proxy-configs/" + std::to_string(service_) + "/keys");
    const boost::json::value listed = boost::json::parse(keys.body);
    for (const auto& key : listed.as_array()) keys_.push_back(key.as_object().at("id").as_int64());
  }
  HttpClient validate(std::size_t number) {
    HttpClient client = gateway_.client();
    client.send(TestGateway::request("POST", "/admin/keys/" + std::to_string(keys_[number]) + "/validate",
                                     "Authorization: Bearer " + token_ + "\r\n"));
    return client;
  }

  FakeUpstream upstream_{[](test::UpstreamCall& call) { call.wait_for_close(); }};
  TestGateway gateway_{{{"VALIDATIONS_AT_ONCE", "3"}}};
  std::int64_t service_ = 0;
  std::string token_;
  std::vector<std::int64_t> keys_;
};

TEST_F(ValidationHoldsNoThread, OtherCallsAreAnsweredMeanwhile) {
  std::vector<HttpClient> waiting;
  for (std::size_t i = 0; i < 3; ++i) waiting.push_back(validate(i));
  ASSERT_TRUE(eventually([&] { return upstream_.requests() == 3; }));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(gateway_.admin("GET", "/admin/proxy-configs").status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));

  const HttpAnswer full = validate(3).receive();
  EXPECT_EQ(full.status, 429);
  EXPECT_NE(full.field("retry-after"), "");
  EXPECT_NE(full.body.find("VALIDATIONS_AT_ONCE: 3"), std::string::npos) << full.body;

  // Whoever stops the gateway does not wait for the provider, and neither does whoever asked.
  gateway_.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));
  for (HttpClient& client : waiting) {
    const HttpAnswer answer = client.receive();
    EXPECT_TRUE(answer.status == 503 || answer.status == 200 || answer.status == 0) << answer.status;
  }
}

TEST_F(ValidationHoldsNoThread, AClientThatLeavesIsNotWaitedFor) {
  {
    HttpClient leaving = validate(0);
    ASSERT_TRUE(eventually([&] { return upstream_.requests() == 1; }));
    leaving.reset();
  }
  HttpClient half = validate(1);
  ASSERT_TRUE(eventually([&] { return upstream_.requests() == 2; }));
  half.half_close();
  EXPECT_TRUE(half.closes(std::chrono::seconds(10)));
}

}  // namespace
}  // namespace akr
