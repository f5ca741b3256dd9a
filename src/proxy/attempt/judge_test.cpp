#include "proxy/attempt/judge.hpp"

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/example_config.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

using net::ExchangeEnd;
using std::chrono::milliseconds;
using std::chrono::seconds;

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

UpstreamFailure read_answer(bool llm, const std::string& answer, const std::string& body = "") {
  UpstreamFailure failure;
  with(llm, [&](RequestContext& ctx) {
    net::MessageHead head;
    ASSERT_EQ(head.parse_response(answer, false), net::ParseStatus::kDone);
    failure = understand(ctx, head, body);
  });
  return failure;
}

TEST(Understand, RestServicesAreReadFromTheirHeadOnly) {
  const auto failure =
      read_answer(false, "HTTP/1.1 429 X\r\nRetry-After: 7\r\n\r\n", R"({"error":{"code":"insufficient_quota"}})");
  EXPECT_EQ(failure.status, 429);
  EXPECT_EQ(failure.kind, FailureKind::kUnknown);
  EXPECT_EQ(failure.retry_after, Duration(seconds(7)));
}

TEST(Understand, LlmServicesAreReadByTheirFormat) {
  const auto failure = read_answer(
      true, "HTTP/1.1 429 X\r\n\r\n",
      R"({"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}})");
  EXPECT_EQ(failure.kind, FailureKind::kQuota);
  EXPECT_EQ(failure.code, "insufficient_quota");
}

TEST(Understand, AnyBodyIsSurvived) {
  for (const char* body : {"", "<html>", "{", "[]", "{\"error\":null}", "\xff\xfe"}) {
    EXPECT_EQ(read_answer(true, "HTTP/1.1 500 X\r\n\r\n", body).status, 500);
  }
}

TEST(JudgeConnect, NobodysFaultAndNothingSent) {
  for (ErrorCode code : {ErrorCode::kUpstreamUnresolved, ErrorCode::kUpstreamConnect, ErrorCode::kUpstreamTls,
                         ErrorCode::kEgressProxy, ErrorCode::kUpstreamConnectTimeout, ErrorCode::kUpstreamRefused}) {
    AttemptFacts facts;
    judge_connect({code, "x"}, facts);
    EXPECT_EQ(facts.verdict.key, KeyAction::kNone) << to_string(code);
    EXPECT_EQ(facts.progress, SendProgress::kNothingSent);
    EXPECT_NE(facts.verdict.retry, RetryAdvice::kReturn) << to_string(code);
  }
  // Our own end and our own shortage (descriptors, ports) are nobody else's fault.
  for (ErrorCode code : {ErrorCode::kShuttingDown, ErrorCode::kOverloaded}) {
    AttemptFacts facts;
    judge_connect({code, "x"}, facts);
    EXPECT_EQ(facts.verdict.retry, RetryAdvice::kReturn);
    EXPECT_EQ(facts.verdict.key, KeyAction::kNone);
    EXPECT_EQ(facts.verdict.endpoint, EndpointEffect::kNone);
  }
}

TEST(DescribeExchange, NamesTheTimerAndItsValue) {
  const auto describe = [](ExchangeEnd end, int error = 0) {
    Error told;
    with(false, [&](RequestContext& ctx) {
      ctx.limit_total(ctx.started);
      told = describe_exchange(ctx, {.end = end, .error = error});
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
      error = refused_credentials(ctx, facts, body);
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
