// What an operator sets on a service through the admin API is known to the next gateway over the same database, also
// after a kill -9 right behind the answer.
#include <filesystem>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr::test {
namespace {

class ServiceRestart : public testing::Test {
 protected:
  static Environment over(const TempDir& directory) {
    return {{"DATABASE_PATH", directory.file("shared.db")},
            {"ENCRYPTION_KEY", "8f3a1c5e7b9d2046a8c0e2f41537596b7d8f9a0b1c2d3e4f5061728394a5b6c7"},
            {"JWT_SECRET", "u3Xe8Kc1Zr6Vn9Qm2Tb5Wp7Ld4Hs0Gjf"}};
  }
  static boost::json::object show(TestGateway& gateway, std::int64_t service) {
    const std::string path = "/admin/proxy-configs/" + std::to_string(service);
    return boost::json::parse(gateway.admin("GET", path).body).as_object();
  }

  // A service with everything that says where requests may go, set after it was made.
  std::int64_t configure(TestGateway& gateway) {
    const auto other = gateway.add_service({.slug = "other", .target_url = upstream_.url()});
    const auto id = gateway.add_service({.target_url = "https://nowhere.invalid"});
    const boost::json::object first = {{"url", upstream_.url()}, {"weight", 3}};
    const boost::json::object second = {{"url", "https://b.invalid/v1"}, {"weight", 0}, {"priority", 1}};
    const boost::json::object rule = {{"method", "POST"}, {"path", "/jobs/*"}, {"created", boost::json::array{"/id"}}};
    const boost::json::object change = {{"upstreams", boost::json::array{first, second}},
                                        {"fallbacks", boost::json::array{other}},
                                        {"affinity_rules", boost::json::array{rule}},
                                        {"validation_path", "/account"},
                                        {"retry_on_empty", true}};
    const std::string path = "/admin/proxy-configs/" + std::to_string(id);
    const auto answer = gateway.admin("PUT", path, boost::json::serialize(change));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);  // the list's first URL is in use at once
    return id;
  }

  void expect_known(TestGateway& gateway, std::int64_t service, const boost::json::object& before) {
    auto now = show(gateway, service);
    for (const char* name : {"target_url", "upstreams", "fallbacks", "affinity_rules", "validation_path",
                             "retry_on_empty", "etag", "updated_at"}) {
      EXPECT_EQ(now[name], before.at(name)) << name;
    }
    EXPECT_EQ(now["upstreams"].as_array().size(), 2U);
    EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
  }

  TempDir directory_;
  FakeUpstream upstream_{[](UpstreamCall& call) { call.answer(200, "ok"); }};
};

TEST_F(ServiceRestart, AnOrderlyStopKeepsEverything) {
  std::int64_t service = 0;
  boost::json::object before;
  {
    TestGateway gateway(over(directory_));
    service = configure(gateway);
    before = show(gateway, service);
  }
  TestGateway next(over(directory_));
  expect_known(next, service, before);
}

TEST_F(ServiceRestart, AKillLosesNothingThatWasAnswered) {
  TestGateway gateway(over(directory_));
  const std::int64_t service = configure(gateway);
  const auto before = show(gateway, service);
  // The files as a kill would leave them now: the gateway still runs.
  TempDir killed;
  for (const char* tail : {"", "-wal"})
    std::filesystem::copy_file(directory_.file("shared.db") + tail, killed.file("shared.db") + tail);
  TestGateway next(over(killed));
  expect_known(next, service, before);
}

}  // namespace
}  // namespace akr::test
