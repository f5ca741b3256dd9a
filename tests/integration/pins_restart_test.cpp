// Which key made what is known to the next gateway over the same database, also after a kill -9.
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr::test {
namespace {

using namespace std::chrono_literals;

void answer_with_a_file(UpstreamCall& call) {
  call.answer(200, R"({"id":"file-1","object":"file"})", "Content-Type: application/json\r\n");
}

class PinsRestart : public testing::Test {
 protected:
  // A database that outlives the gateways, in `directory`.
  static Environment over(const TempDir& directory) {
    return {{"DATABASE_PATH", directory.file("shared.db")},
            {"ENCRYPTION_KEY", "8f3a1c5e7b9d2046a8c0e2f41537596b7d8f9a0b1c2d3e4f5061728394a5b6c7"},
            {"JWT_SECRET", "u3Xe8Kc1Zr6Vn9Qm2Tb5Wp7Ld4Hs0Gjf"}};
  }

  std::int64_t make(TestGateway& gateway) {
    const std::int64_t service = gateway.add_service({.target_url = upstream_.url(), .keys = 5, .llm = true});
    EXPECT_EQ(gateway.post("/llm/s/v1/files", "form").status, 200);
    maker_ = upstream_.last().field("authorization");
    return service;
  }
  void expect_pinned(TestGateway& gateway) {
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(gateway.get("/llm/s/v1/files/file-1").status, 200);
      EXPECT_EQ(upstream_.last().field("authorization"), maker_);
    }
  }

  TempDir directory_;
  FakeUpstream upstream_{answer_with_a_file};
  std::string maker_;
};

TEST_F(PinsRestart, AnOrderlyStopKeepsEverything) {
  {
    TestGateway gateway(over(directory_));
    make(gateway);
  }
  TestGateway next(over(directory_));
  expect_pinned(next);
}

// Whose a thing is was known to the process that saw it made, and to no other.
TEST_F(PinsRestart, WhoseTheyAreIsKnownToTheNextGateway) {
  Environment environment = over(directory_);
  const std::string other = "another-access-key-0123456789";
  environment["GLOBAL_PROXY_KEYS"] = std::string(TestGateway::kAccessKey) + "," + other;
  {
    TestGateway gateway(environment);
    make(gateway);
  }
  TestGateway next(environment);
  expect_pinned(next);
  const auto asked = TestGateway::request("GET", "/llm/s/v1/files/file-1", "X-Proxy-Key: " + other + "\r\n");
  EXPECT_EQ(next.client().ask(asked).status, 404);
}

TEST_F(PinsRestart, AKillLosesAtMostTheLastMoment) {
  TestGateway gateway(over(directory_));
  make(gateway);
  std::this_thread::sleep_for(800ms);  // several times the period, for slow machines
  // The files as a kill would leave them now: the gateway still runs.
  TempDir killed;
  for (const char* tail : {"", "-wal"})
    std::filesystem::copy_file(directory_.file("shared.db") + tail, killed.file("shared.db") + tail);
  TestGateway next(over(killed));
  expect_pinned(next);
}

TEST_F(PinsRestart, ADisabledKeyIsAConflictAndAnEnabledOneServesAgain) {
  TestGateway gateway(over(directory_));
  const std::int64_t service = make(gateway);
  const int number = std::stoi(maker_.substr(maker_.size() - 3));
  gateway.switch_key(service, number, false);
  const HttpAnswer answer = gateway.get("/llm/s/v1/files/file-1");
  EXPECT_EQ(answer.status, 409);
  EXPECT_NE(answer.body.find("pinned_key_unavailable"), std::string::npos);
  gateway.switch_key(service, number, true);
  expect_pinned(gateway);
}

}  // namespace
}  // namespace akr::test
