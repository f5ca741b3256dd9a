// What browsers ask before they call, and what they must read in every answer.
#include "proxy/request/cors.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

using test::HttpAnswer;

Service service(std::vector<std::string> origins) {
  Service made;
  made.slug = "s";
  made.target_url = "https://up.example";
  made.cors_origins = std::move(origins);
  return made;
}

std::string request(std::string_view method, std::string_view fields) {
  return std::string(method) + " /proxy/s/a HTTP/1.1\r\nHost: gw\r\n" + std::string(fields) + "\r\n";
}

constexpr std::string_view kOrigin = "Origin: https://a.example\r\n";
constexpr std::string_view kAsks = "Access-Control-Request-Method: PATCH\r\n";

bool taken_for_preflight(const std::vector<std::string>& origins, const std::string& request) {
  bool preflight = false;
  test::RequestFixture(service(origins)).run(request, [&](RequestContext& ctx) { preflight = is_preflight(ctx); });
  return preflight;
}

HttpAnswer preflight(const std::vector<std::string>& origins, const std::string& fields) {
  const auto handle = [](RequestContext& ctx) -> net::Task<void> {
    const Result<void> answered = co_await answer_preflight(ctx);
    EXPECT_TRUE(answered);
    EXPECT_EQ(ctx.status, 204);
  };
  return test::RequestFixture(service(origins)).ask(request("OPTIONS", fields), handle);
}

std::string answer_fields(const std::vector<std::string>& origins, const std::string& fields) {
  std::string out;
  test::RequestFixture(service(origins)).run(request("GET", fields), [&](RequestContext& ctx) {
    append_cors_fields(ctx, out);
  });
  return out;
}

TEST(Cors, OnlyAQuestionWithAllItsPartsIsAPreflight) {
  const std::vector<std::string> any = {"*"};
  const std::string both = std::string(kOrigin) + std::string(kAsks);
  EXPECT_TRUE(taken_for_preflight(any, request("OPTIONS", both)));
  EXPECT_TRUE(taken_for_preflight({"https://other.example"}, request("OPTIONS", both)));  // answered, with nothing
  EXPECT_FALSE(taken_for_preflight({}, request("OPTIONS", both)));                        // the upstream may answer
  EXPECT_FALSE(taken_for_preflight(any, request("GET", both)));
  EXPECT_FALSE(taken_for_preflight(any, request("OPTIONS", kOrigin)));
  EXPECT_FALSE(taken_for_preflight(any, request("OPTIONS", kAsks)));
  EXPECT_FALSE(taken_for_preflight(any, request("OPTIONS", "Origin: \r\n" + std::string(kAsks))));
}

TEST(Cors, WhatWasAskedForIsAllowed) {
  const HttpAnswer answer = preflight(
      {"https://b.example", "https://a.example"},
      std::string(kOrigin) + std::string(kAsks) + "Access-Control-Request-Headers: x-api-key,content-type\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(answer.field("access-control-allow-methods"), "PATCH");
  EXPECT_EQ(answer.field("access-control-allow-headers"), "x-api-key,content-type");
  EXPECT_EQ(answer.count("access-control-allow-private-network"), 0U);
  EXPECT_EQ(answer.count("access-control-allow-credentials"), 0U);
  EXPECT_EQ(answer.field("access-control-max-age"), "7200");
  EXPECT_EQ(answer.field("vary"), "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  EXPECT_EQ(answer.field("x-request-id"), "id-1");
}

TEST(Cors, APageOfTheInternetMayCallAGatewayAtHome) {
  const std::string asked = std::string(kOrigin) + std::string(kAsks);
  EXPECT_EQ(preflight({"*"}, asked + "Access-Control-Request-Private-Network: TRUE\r\n")
                .field("access-control-allow-private-network"),
            "true");
  EXPECT_EQ(preflight({"*"}, asked + "Access-Control-Request-Private-Network: false\r\n")
                .count("access-control-allow-private-network"),
            0U);
}

TEST(Cors, OthersAreToldNothing) {
  for (const char* origin : {"https://b.example", "http://a.example", "https://a.example:8443", "https://A.example",
                             "https://a.example.evil", "null"}) {
    const HttpAnswer answer =
        preflight({"https://a.example"}, "Origin: " + std::string(origin) + "\r\n" + std::string(kAsks));
    EXPECT_EQ(answer.status, 204) << origin;
    EXPECT_EQ(answer.head.find("Access-Control-Allow"), std::string::npos) << origin;
    EXPECT_NE(answer.field("vary"), "") << origin;  // the next page's answer is another one
  }
}

TEST(Cors, EveryAnswerSaysWhoMayReadIt) {
  EXPECT_EQ(answer_fields({"https://a.example"}, std::string(kOrigin)),
            "Access-Control-Allow-Origin: https://a.example\r\nAccess-Control-Expose-Headers: *\r\nVary: Origin\r\n");
  EXPECT_EQ(answer_fields({"*"}, std::string(kOrigin)),
            "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\nVary: Origin\r\n");
  EXPECT_EQ(answer_fields({"https://b.example"}, std::string(kOrigin)), "Vary: Origin\r\n");
  EXPECT_EQ(answer_fields({"*"}, ""), "Vary: Origin\r\n");
}

}  // namespace
}  // namespace akr
