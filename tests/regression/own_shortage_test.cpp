// With all descriptors in use by silent clients, requests of others got 502, and healthy URLs were ejected for it.
// Stands for: what this process or machine lacks is its own fault: 503, and neither URL nor key is blamed.
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/no_descriptors.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::NoDescriptors;
using test::ProxyUnderTest;
using test::UpstreamCall;

TEST(OwnShortage, BlamesNeitherUrlsNorKeys) {
  FakeUpstream a([](UpstreamCall& call) { call.answer(200, "a"); });
  FakeUpstream b([](UpstreamCall& call) { call.answer(200, "b"); });
  ProxyUnderTest proxy({.upstreams = {{a.url(), 1, 0}, {b.url(), 1, 0}}});
  HttpClient client = proxy.client();
  EXPECT_EQ(client.ask(proxy.request("GET", "/x", {}, {}, "wrong")).status,
            401);  // it is accepted, and no URL was asked
  {
    const NoDescriptors none;
    for (int i = 0; i < 10; ++i) {  // five in a row eject a URL
      const HttpAnswer answer = client.ask(proxy.request("GET", "/x"));
      ASSERT_EQ(answer.status, 503) << answer.body;
      EXPECT_NE(answer.body.find("overloaded"), std::string::npos) << answer.body;
      EXPECT_EQ(answer.field("retry-after"), "1");
    }
  }
  for (const auto& upstream : proxy.upstreams().states(std::chrono::steady_clock::now()))
    EXPECT_EQ(upstream.state, UpstreamState::kHealthy);
  EXPECT_EQ(proxy.status(1).state, KeyState::kActive);
  EXPECT_EQ(client.ask(proxy.request("GET", "/x")).status, 200);
}

TEST(OwnShortage, AnIdleConnectionIsGivenUpForARequest) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "fine"); });
  ProxyUnderTest proxy({.upstreams = {{upstream.url(), 1, 0}}});
  HttpClient idle = proxy.client();
  HttpClient client = proxy.client();
  EXPECT_EQ(idle.ask(proxy.request("GET", "/nothing-here", {}, {}, "wrong")).status, 401);
  EXPECT_EQ(client.ask(proxy.request("GET", "/nothing-here", {}, {}, "wrong")).status, 401);
  const NoDescriptors none;
  // The upstream has no descriptor to accept with, but the gateway has one to connect with: it waits, and blames
  // nobody.
  client.send(proxy.request("GET", "/x"));
  EXPECT_TRUE(idle.closes());
}

}  // namespace
}  // namespace akr
