// A POST went out twice: the upstream had read it on a kept connection and answered with RST, and the RST was taken for
// the sign of a stale connection (docs/decisions/0003).
#include <atomic>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

TEST(Regression, APostThatWasReadIsNotSentAgain) {
  std::atomic<int> posts = 0;
  test::FakeUpstream upstream([&](test::UpstreamCall& call) {
    if (call.request().method == "GET") return call.answer(200, "warm");
    call.read_body();
    ++posts;
    call.reset();
  });
  test::TestGateway gateway({{"WORKERS", "1"}});
  gateway.add_service({.target_url = upstream.url(), .keys = 2});
  EXPECT_EQ(gateway.get("/proxy/s/warm").status, 200);
  EXPECT_EQ(gateway.post("/proxy/s/x", "hello").status, 502);
  EXPECT_EQ(posts, 1);
}

}  // namespace
}  // namespace akr
