// The access log printed freed memory as the method: a body over 4 KiB moved the request's head to a larger buffer
// while the context still looked at the old one.
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

TEST(Regression, TheLogNamesTheMethodAfterALargeBody) {
  std::string text;
  {
    const test::CapturedOutput output;
    test::FakeUpstream upstream([](test::UpstreamCall& call) { call.answer(200, "ok"); });
    test::TestGateway gateway({{"ACCESS_LOG", "true"}});
    gateway.add_service({.target_url = upstream.url()});
    EXPECT_EQ(gateway.post("/proxy/s/large", std::string(300'000, 'x')).status, 200);
    gateway.stop();
    text = output.text();
  }
  EXPECT_NE(text.find(R"("method":"POST","path":"/proxy/s/large","status":200)"), std::string::npos) << text;
}

}  // namespace
}  // namespace akr
