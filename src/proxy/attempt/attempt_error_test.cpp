#include "proxy/attempt/attempt_error.hpp"

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "core/outcome/outcome.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

using net::ExchangeEnd;
using std::chrono::milliseconds;

Service service(bool llm) {
  Service made = example_service("s");
  made.methods.clear();
  if (llm) made.type = ServiceType::kLlm;
  made.timeouts.first_byte = milliseconds(30'000);
  made.timeouts.total = milliseconds(1'500);
  return made;
}

void with(bool llm, const std::function<void(RequestContext&)>& look) {
  test::RequestFixture(service(llm))
      .run(std::string("GET /") + (llm ? "llm" : "proxy") + "/s/a HTTP/1.1\r\nHost: h\r\n\r\n", look);
}

TEST(DescribeExchange, NamesTheTimerAndItsValue) {
  const auto describe = [](ExchangeEnd end, int error = 0) {
    Error told;
    with(false, [&](RequestContext& ctx) {
      ctx.limit_total(ctx.asked().config, ctx.started);
      told = describe_exchange(ctx, ctx.asked().config, {.end = end, .error = error});
    });
    return told;
  };
  EXPECT_EQ(describe(ExchangeEnd::kFirstByte).message,
            "the upstream did not answer in time: timer 'first_byte' of 30 s fired");
  EXPECT_EQ(describe(ExchangeEnd::kTotal).message,
            "the upstream did not answer in time: timer 'total' of 1500 ms fired");
  EXPECT_EQ(describe(ExchangeEnd::kSend).code, ErrorCode::kUpstreamTimeout);
  EXPECT_EQ(describe(ExchangeEnd::kClosed).code, ErrorCode::kUpstreamClosed);
  EXPECT_EQ(describe(ExchangeEnd::kProtocol).code, ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(describe(ExchangeEnd::kClientGone).code, ErrorCode::kClientGone);
  EXPECT_EQ(describe(ExchangeEnd::kClientBody, EPROTO).code, ErrorCode::kBadRequest);
  EXPECT_EQ(describe(ExchangeEnd::kClientBody, ETIMEDOUT).code, ErrorCode::kRequestTimeout);
  EXPECT_EQ(describe(ExchangeEnd::kClientBody, ECONNRESET).code, ErrorCode::kClientGone);
  EXPECT_EQ(describe(ExchangeEnd::kCancelled).code, ErrorCode::kShuttingDown);
}

// D06 b: the client must not take a refused upstream key for its own.
TEST(RefusedCredentials, OnlyWhenTheLastKeyWasRefused) {
  const auto refused = [](int status, bool llm = false, const std::string& body = "") {
    std::optional<Error> error;
    with(llm, [&](RequestContext& ctx) {
      AttemptFacts facts;
      facts.status = status;
      facts.verdict = classify({.status = status});
      error = refused_credentials(ctx.served, facts, body);
    });
    return error;
  };
  for (int status : {401, 402, 403}) {
    ASSERT_TRUE(refused(status)) << status;
    EXPECT_EQ(refused(status)->code, ErrorCode::kCredentialsExhausted);
    EXPECT_NE(refused(status)->message.find(std::to_string(status)), std::string::npos);
  }
  for (int status : {0, 200, 302, 400, 404, 422, 429, 500, 503}) EXPECT_FALSE(refused(status)) << status;
  const auto explained = refused(401, true, R"({"error":{"message":"Incorrect API key","code":"invalid_api_key"}})");
  EXPECT_NE(explained->message.find("Incorrect API key"), std::string::npos);
}

}  // namespace
}  // namespace akr
