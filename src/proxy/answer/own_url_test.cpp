#include "proxy/answer/own_url.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

constexpr const char* kKey = "sk+secret/1";

Service service_at(const std::string& url, ServiceType type = ServiceType::kGeneric) {
  Service service;
  service.slug = "s";
  service.type = type;
  if (type == ServiceType::kLlm) service.api_format = "anthropic_native";
  service.target_url = url;
  return service;
}

std::string own(const Service& service, const std::string& url, const std::string& public_base = "",
                const std::string& host = "Host: gw.test:8000\r\n", const std::string& version = "1.1") {
  std::string out;
  const std::string prefix = service.type == ServiceType::kLlm ? "/llm/s/x" : "/proxy/s/x";
  test::RequestFixture(service).run("GET " + prefix + " HTTP/" + version + "\r\n" + host + "\r\n",
                                    [&](RequestContext& ctx) {
                                      ctx.public_base = public_base;
                                      out = own_url(ctx, url, kKey);
                                    });
  return out;
}

// A batch's results_url, redirects and Location led the client past us, its access key in hand.  Stands for every URL
// of an upstream that a client calls next.
TEST(OwnUrl, WhatLiesBelowTheBaseIsReachedThroughUs) {
  const Service rest = service_at("https://Up.example/base");
  const auto leads_to = [&](const std::string& url) { return own(rest, url); };
  EXPECT_EQ(leads_to("https://up.example/base/a?b=1#c"), "http://gw.test:8000/proxy/s/a?b=1#c");
  EXPECT_EQ(leads_to("HTTPS://UP.EXAMPLE:443/base/a%2Fb"), "http://gw.test:8000/proxy/s/a%2Fb");
  EXPECT_EQ(leads_to("https://up.example/base"), "http://gw.test:8000/proxy/s");
  EXPECT_EQ(leads_to("https://up.example/base?b=1"), "http://gw.test:8000/proxy/s?b=1");
  EXPECT_EQ(leads_to("/base/a?b=1"), "http://gw.test:8000/proxy/s/a?b=1");
  EXPECT_EQ(leads_to("//up.example/base/a"), "http://gw.test:8000/proxy/s/a");
  EXPECT_EQ(own(service_at("https://up.example", ServiceType::kLlm), "https://up.example/v1/x"),
            "http://gw.test:8000/llm/s/v1/x");
  EXPECT_EQ(own(service_at("http://[::1]:81/b"), "http://[::1]:81/b/x"), "http://gw.test:8000/proxy/s/x");
}

TEST(OwnUrl, OtherPlacesStay) {
  const Service rest = service_at("https://up.example/base");
  for (const char* url : {"",
                          "a",
                          "?a",
                          "#a",
                          "https://other.example/base/a",
                          "http://up.example/base/a",
                          "https://up.example:8443/base/a",
                          "https://up.example/",
                          "https://up.example/basement",
                          "https://u:p@up.example/base/a",
                          "/",
                          "/a",
                          "/basement",
                          "//other.example/base/a",
                          "https://up.example/base/../a",
                          "/base/%2e%2e/a",
                          "/base/a\\..\\..\\b",
                          "https://up.example.evil.test/base/a",
                          "https://up.example/base/ a",
                          "ftp://up.example/base/a"}) {
    EXPECT_EQ(own(rest, url), "") << url;
  }
}

// Behind a TLS terminator the URL said http although PROXY_PUBLIC_BASE_URL said https.
TEST(OwnUrl, TheSettingSaysHowClientsReachUs) {
  const Service rest = service_at("https://up.example");
  EXPECT_EQ(own(rest, "https://up.example/a", "https://api.example/gw"), "https://api.example/gw/proxy/s/a");
  EXPECT_EQ(own(rest, "https://up.example/a", "", "", "1.0"), "/proxy/s/a");
}

TEST(OwnUrl, WhatTheOperatorAddsIsNotToldToTheClient) {
  EXPECT_EQ(own(service_at("https://up.example/b?v=1"), "https://up.example/b/a?v=1&x=2"),
            "http://gw.test:8000/proxy/s/a?x=2");
  EXPECT_EQ(own(service_at("https://up.example/b?v=1"), "https://up.example/b/a?v=1"), "http://gw.test:8000/proxy/s/a");
  EXPECT_EQ(own(service_at("https://up.example/b?v=1"), "https://up.example/b/a?v=12"),
            "http://gw.test:8000/proxy/s/a?v=12");
  Service by_query = service_at("https://up.example");
  by_query.key_placement = KeyPlacement{KeyLocation::kQuery, "token", ""};
  EXPECT_EQ(own(by_query, "https://up.example/a?x=1&token=sk%2Bsecret%2F1"), "http://gw.test:8000/proxy/s/a?x=1");
  Service by_path = service_at("https://up.example/bot{key}");
  by_path.key_placement = KeyPlacement{.location = KeyLocation::kPath};
  EXPECT_EQ(own(by_path, "https://up.example/botsk+secret%2F1/next"), "http://gw.test:8000/proxy/s/next");
  EXPECT_EQ(own(by_path, "https://up.example/botother/next"), "");
}

}  // namespace
}  // namespace akr
