// What a gateway learnt about its keys is known to the next one over the same database, also after a kill -9.
#include <filesystem>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr::test {
namespace {

using namespace std::chrono_literals;

// The first key is refused for ten minutes, the others serve.
void refuse_the_first(UpstreamCall& call) {
  const bool first = call.request().field("authorization").ends_with("-001");
  if (first) return call.answer(429, "slow down", "Retry-After: 600\r\n");
  call.answer(200, "ok");
}

class KeyStatesRestart : public testing::Test {
 protected:
  // A database that outlives the gateways, in `directory`.
  static Environment over(const TempDir& directory) {
    return {{"DATABASE_PATH", directory.file("shared.db")},
            {"ENCRYPTION_KEY", "8f3a1c5e7b9d2046a8c0e2f41537596b7d8f9a0b1c2d3e4f5061728394a5b6c7"},
            {"JWT_SECRET", "u3Xe8Kc1Zr6Vn9Qm2Tb5Wp7Ld4Hs0Gjf"}};
  }

  std::int64_t meet_the_first_key(TestGateway& gateway) {
    const std::int64_t service = gateway.add_service({.target_url = upstream_.url(), .keys = 3});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
    EXPECT_EQ(state(gateway, service), "cooling");
    return service;
  }

  static std::string state(TestGateway& gateway, std::int64_t service) {
    const std::string path = "/admin/proxy-configs/" + std::to_string(service) + "/keys";
    const auto keys = boost::json::parse(gateway.admin("GET", path).body).as_array();
    return std::string(keys.at(0).at("state").as_string());
  }

  int asked_first_key() { return upstream_.count_by("authorization")["Bearer " + TestGateway::key("s", 1)]; }

  void expect_remembered(TestGateway& gateway, std::int64_t service) {
    const int before = asked_first_key();
    EXPECT_EQ(state(gateway, service), "cooling");
    for (int i = 0; i < 6; ++i) EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);
    EXPECT_EQ(asked_first_key(), before);
  }

  TempDir directory_;
  FakeUpstream upstream_{refuse_the_first};
};

TEST_F(KeyStatesRestart, AnOrderlyStopKeepsEverything) {
  std::int64_t service = 0;
  {
    TestGateway gateway(over(directory_));
    service = meet_the_first_key(gateway);
  }
  TestGateway next(over(directory_));
  expect_remembered(next, service);
}

TEST_F(KeyStatesRestart, AKillLosesAtMostTheLastSecond) {
  TestGateway gateway(over(directory_));
  const std::int64_t service = meet_the_first_key(gateway);
  std::this_thread::sleep_for(2s);
  // The files as a kill would leave them now: the gateway still runs.
  TempDir killed;
  for (const char* tail : {"", "-wal"})
    std::filesystem::copy_file(directory_.file("shared.db") + tail, killed.file("shared.db") + tail);
  TestGateway next(over(killed));
  expect_remembered(next, service);
}

TEST_F(KeyStatesRestart, AResetIsRememberedToo) {
  std::int64_t service = 0;
  {
    TestGateway gateway(over(directory_));
    service = meet_the_first_key(gateway);
    const std::string path = "/admin/proxy-configs/" + std::to_string(service) + "/keys/reset";
    EXPECT_EQ(gateway.admin("POST", path).status, 200);
    EXPECT_EQ(state(gateway, service), "active");
  }
  TestGateway next(over(directory_));
  EXPECT_EQ(state(next, service), "active");
}

}  // namespace
}  // namespace akr::test
