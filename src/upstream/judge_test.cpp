#include "upstream/judge.hpp"

#include <string>

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"

namespace akr {
namespace {

using std::chrono::seconds;

RoutedService service(bool llm) {
  RoutedService made;
  if (!llm) return made;
  made.config.type = ServiceType::kLlm;
  made.provider = find_provider("openai_compatible");
  return made;
}

Judge judge_of(const RoutedService& service) {
  UpstreamSpeech speech;
  if (service.provider != nullptr) speech = {service.provider, service.provider->dialects.front()};
  const bool llm = service.provider != nullptr;
  return {service, speech, {.at_once = llm, .model = llm}};
}

net::MessageHead head_of(const std::string& answer) {
  net::MessageHead head;
  EXPECT_EQ(head.parse_response(answer, false), net::ParseStatus::kDone);
  return head;
}

UpstreamFailure read_answer(bool llm, const std::string& answer, const std::string& body = "") {
  const RoutedService asked = service(llm);
  return judge_of(asked).understand(head_of(answer), body);
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

// Validation calls took a 200 that holds an error for an accepted key, while requests did not: one judge for both.
TEST(JudgeAnswer, AnErrorInsideA200IsNoAcceptedKey) {
  const RoutedService asked = service(true);
  const auto judgement = judge_of(asked).answer(
      head_of("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"),
      R"({"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}})");
  EXPECT_EQ(judgement.verdict.key, KeyAction::kInvalidate);
  EXPECT_EQ(judge_of(asked).answer(head_of("HTTP/1.1 200 OK\r\n\r\n"), R"({"data":[]})").verdict.key, KeyAction::kGood);
}

}  // namespace
}  // namespace akr
