// failover_admin_test.cpp - people and keys: behaviour.md section 3, scenarios 13 and 22, through the admin API.
#include <atomic>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::HttpAnswer;
using test::kJson;
using test::TestGateway;
using test::UpstreamCall;

namespace json = boost::json;

std::string keys_path(std::int64_t service) { return "/admin/proxy-configs/" + std::to_string(service) + "/keys"; }
std::string bearer(int number) { return "Bearer " + TestGateway::key("s", number); }

TEST(ManualReset, S13ACoolingKeyMayBeUsedByTheNextRequest) {
  std::atomic<bool> over_limit = true;
  FakeUpstream upstream([&](UpstreamCall& call) {
    const bool first = call.request().field("authorization") == bearer(1);
    if (first && over_limit) return call.answer(429, "later", "Retry-After: 561600\r\n");
    call.answer(200, "ok");
  });
  TestGateway gateway;
  const auto service = gateway.add_service({.target_url = upstream.url(), .keys = 2});
  const auto asked_first = [&] { return upstream.count_by("authorization")[bearer(1)]; };
  for (int i = 0; i < 6; ++i) EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
  EXPECT_EQ(asked_first(), 1);
  over_limit = false;
  // One by its id, then all of the service.
  EXPECT_EQ(gateway.admin("POST", "/admin/keys/1/reset").status, 200);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
  EXPECT_EQ(asked_first(), 2);
  over_limit = true;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
  over_limit = false;
  EXPECT_EQ(gateway.admin("POST", keys_path(service) + "/reset").status, 200);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
  EXPECT_EQ(asked_first(), 4);
}

class BulkValidation : public testing::Test {
 protected:
  static constexpr int kKeys = 500;
  static constexpr std::size_t kBad = 50;  // every tenth

  static void answer(UpstreamCall& call) {
    const bool bad = call.request().field("authorization").ends_with('0');
    if (bad) return call.answer(401, R"({"error":{"message":"no","code":"invalid_api_key"}})", kJson);
    call.answer(200, R"({"object":"list","data":[]})", kJson);
  }
  std::size_t listed(TestGateway& gateway, const std::string& query) {
    return json::parse(gateway.admin("GET", keys_path(service_) + query).body).as_array().size();
  }
  void expect_fifty_everywhere(TestGateway& gateway) {
    EXPECT_EQ(listed(gateway, "?state=invalid"), kBad);
    EXPECT_EQ(listed(gateway, "?state=active"), kKeys - kBad);
    std::size_t shown = 0;
    const json::value all = json::parse(gateway.admin("GET", keys_path(service_)).body);
    for (const auto& key : all.as_array()) shown += key.at("status").as_string() == "invalid" ? 1 : 0;
    EXPECT_EQ(shown, kBad);
    const auto path = "/admin/proxy-configs/" + std::to_string(service_);
    const auto counts = json::parse(gateway.admin("GET", path).body).at("key_counts").as_object();
    EXPECT_EQ(counts.at("invalid").to_number<std::size_t>(), kBad);
    EXPECT_EQ(counts.at("active").to_number<std::size_t>(), kKeys - kBad);
    const auto metrics = gateway.client().ask(TestGateway::request("GET", "/metrics")).body;
    EXPECT_NE(metrics.find("rotator_keys{service=\"s\",state=\"invalid\"} 50\n"), std::string::npos);
  }

  std::int64_t service_ = 0;
  TempDir directory_;
  FakeUpstream upstream_{answer};
  const Environment over_ = {{"DATABASE_PATH", directory_.file("shared.db")},
                             {"ENCRYPTION_KEY", "8f3a1c5e7b9d2046a8c0e2f41537596b7d8f9a0b1c2d3e4f5061728394a5b6c7"}};
};

// It took two minutes when only four keys were asked about per second: longer than the patience here.
TEST_F(BulkValidation, S22AllCountsAgreeAlsoAfterARestart) {
  {
    TestGateway gateway(over_);
    service_ = gateway.add_service(
        {.target_url = upstream_.url("/v1"), .keys = kKeys, .llm = true, .more = R"(,"invalid_after":1)"});
    const HttpAnswer begun = gateway.admin("POST", keys_path(service_) + "/validate");
    EXPECT_EQ(begun.status, 202) << begun.body;
    const auto asked = [&] { return upstream_.count_by("authorization").size() == kKeys; };
    ASSERT_TRUE(test::eventually(asked)) << upstream_.requests();
    EXPECT_TRUE(test::eventually([&] { return listed(gateway, "?state=invalid") == kBad; }, 5s));
    expect_fifty_everywhere(gateway);
  }
  TestGateway next(over_);
  expect_fifty_everywhere(next);
}

}  // namespace
}  // namespace akr
