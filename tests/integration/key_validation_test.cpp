// A person's validation of keys: what the provider says about a key is applied at once.
#include <atomic>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr::test {
namespace {

using namespace std::chrono_literals;

class KeyValidation : public testing::Test {
 protected:
  // Refuses the first key for as long as `revoked` says.
  void answer(UpstreamCall& call) {
    const bool first = call.request().field("authorization").ends_with("-001");
    if (first && revoked_) {
      return call.answer(401, R"({"error":{"message":"no","type":"invalid_request_error","code":"invalid_api_key"}})",
                         "Content-Type: application/json\r\n");
    }
    call.answer(200, R"({"object":"list","data":[]})", "Content-Type: application/json\r\n");
  }
  boost::json::object ask(const std::string& path, int status = 200) {
    const HttpAnswer answer = gateway_.admin("POST", path);
    EXPECT_EQ(answer.status, status) << answer.body;
    return boost::json::parse(answer.body).as_object();
  }

  std::atomic<bool> revoked_ = true;
  FakeUpstream upstream_{[this](UpstreamCall& call) { answer(call); }};
  TestGateway gateway_;
};

TEST_F(KeyValidation, OneKeyWithItsResult) {
  gateway_.add_service({.target_url = upstream_.url("/v1"), .keys = 2, .llm = true});
  auto body = ask("/admin/keys/1/validate");
  EXPECT_FALSE(body.at("validation").at("valid").as_bool());
  EXPECT_EQ(body.at("validation").at("status").as_int64(), 401);
  EXPECT_EQ(body.at("validation").at("reason").as_string(), "invalid_api_key");
  body = ask("/admin/keys/1/validate");
  EXPECT_EQ(body.at("status").as_string(), "invalid");
  EXPECT_TRUE(ask("/admin/keys/2/validate").at("validation").at("valid").as_bool());
  EXPECT_EQ(upstream_.last().target, "/v1/models");
  revoked_ = false;
  body = ask("/admin/keys/1/validate");
  EXPECT_TRUE(body.at("validation").at("valid").as_bool());
  EXPECT_EQ(body.at("state").as_string(), "active");
  EXPECT_EQ(gateway_.admin("POST", "/admin/keys/99/validate").status, 404);
}

TEST_F(KeyValidation, AllOfAServiceInTheBackground) {
  const auto id = gateway_.add_service({.target_url = upstream_.url("/v1"), .keys = 6, .llm = true});
  const auto path = "/admin/proxy-configs/" + std::to_string(id) + "/keys/validate";
  EXPECT_EQ(ask(path, 202).at("queued_count").as_int64(), 6);
  for (int i = 0; i < 1000 && upstream_.count_by("authorization").size() < 6; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(upstream_.count_by("authorization").size(), 6U);
}

// A provider that refused a good key twice cost it an hour, although a question about it is free: it takes the real
// ten seconds, because the publisher has to tell the pool that there is such a question.
TEST_F(KeyValidation, AHiccupOfTheProviderCostsAKeySecondsOnly) {
  const auto id = gateway_.add_service({.target_url = upstream_.url("/v1"), .keys = 2, .llm = true});
  const std::string list = "/admin/proxy-configs/" + std::to_string(id) + "/keys";
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(gateway_.post("/llm/s/v1/chat/completions", "{}").status, 200);
  revoked_ = false;
  const auto state = [&] {
    return std::string(boost::json::parse(gateway_.admin("GET", list).body).at(0).at("state").as_string());
  };
  ASSERT_EQ(state(), "invalid");
  while (state() != "active" && std::chrono::steady_clock::now() - began < 30s) std::this_thread::sleep_for(100ms);
  EXPECT_EQ(state(), "active");
}

TEST_F(KeyValidation, AServiceWithoutAFreeCallSaysSo) {
  const auto id = gateway_.add_service({.target_url = upstream_.url(), .keys = 1});
  const auto answer = gateway_.admin("POST", "/admin/keys/1/validate");
  EXPECT_GE(answer.status, 400);
  EXPECT_LT(answer.status, 500);
  EXPECT_NE(answer.body.find("free call"), std::string::npos);
  EXPECT_NE(answer.body.find("validation_path"), std::string::npos);
  EXPECT_EQ(gateway_.admin("POST", "/admin/proxy-configs/" + std::to_string(id) + "/keys/validate").status,
            answer.status);
  EXPECT_EQ(upstream_.requests(), 0);
}

}  // namespace
}  // namespace akr::test
