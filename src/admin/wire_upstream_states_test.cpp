#include <gtest/gtest.h>

#include "admin/wire.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;

TEST(WriteUpstreamStates, TellsTheStateOfEachUrl) {
  ManualClock clock(WallTime(1'767'225'600s));  // 2026-01-01T00:00:00Z
  const std::vector<Upstream> list = {{"https://a.example/v1", 1, 0}, {"https://b.example", 2, 1}};
  const auto set = UpstreamSet::make(list).value();
  const auto told = [&] { return boost::json::serialize(write_upstream_states(*set, {clock.now(), clock.wall()})); };
  set->select(0b01, clock.now()).report(EndpointEffect::kFail, clock.now());
  EXPECT_EQ(told(), R"([{"url":"https://a.example/v1","state":"healthy","consecutive_failures":0},)"
                    R"({"url":"https://b.example","state":"healthy","consecutive_failures":1}])");
  for (int i = 0; i < 5; ++i) set->select(0b10, clock.now()).report(EndpointEffect::kFail, clock.now());
  EXPECT_EQ(told(), R"([{"url":"https://a.example/v1","state":"ejected","consecutive_failures":5,)"
                    R"("until":"2026-01-01T00:00:30.000Z"},)"
                    R"({"url":"https://b.example","state":"healthy","consecutive_failures":1}])");
  clock.advance(30s);
  EXPECT_EQ(told(), R"([{"url":"https://a.example/v1","state":"trial","consecutive_failures":5},)"
                    R"({"url":"https://b.example","state":"healthy","consecutive_failures":1}])");
}

}  // namespace
}  // namespace akr
