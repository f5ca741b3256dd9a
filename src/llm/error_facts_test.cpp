#include "llm/error_facts.hpp"

#include <random>

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(ErrorFacts, ReadsOpenAisShape) {
  const auto facts = read_error_facts(
      R"({"error":{"message":"Too \"fast\"","type":"tokens","param":null,"code":"rate_limit_exceeded"}})");
  EXPECT_TRUE(facts.is_json);
  EXPECT_TRUE(facts.has_error);
  EXPECT_EQ(facts.message, "Too \"fast\"");
  EXPECT_EQ(facts.type, "tokens");
  EXPECT_EQ(facts.code, "rate_limit_exceeded");
  EXPECT_TRUE(facts.says("too"));
}

TEST(ErrorFacts, ReadsAnthropicsShape) {
  const auto facts = read_error_facts(
      R"({"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"ramp"}},"request_id":"r"})");
  EXPECT_EQ(facts.event_type, "error");
  EXPECT_EQ(facts.type, "rate_limit_error");
  EXPECT_EQ(facts.error_code, "ramp");
}

TEST(ErrorFacts, ReadsGooglesShapeAlsoInAnArray) {
  const std::string body =
      R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[)"
      R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"XPerDayY","quotaValue":"0"}]},)"
      R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"A","metadata":{"quota_limit":"PerMinuteZ"}},)"
      R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"},{"reason":"B"}]}})";
  for (const auto& text : {body, "[" + body + "]"}) {
    const auto facts = read_error_facts(text);
    EXPECT_EQ(facts.number, 429);
    EXPECT_EQ(facts.status, "RESOURCE_EXHAUSTED");
    EXPECT_TRUE(facts.quota_failure && facts.quota_per_day && facts.quota_per_minute && facts.quota_zero);
    EXPECT_EQ(facts.retry_delay, "34s");
    EXPECT_TRUE(facts.has_reason("A") && facts.has_reason("B"));
    EXPECT_FALSE(facts.has_reason("C"));
  }
}

TEST(ErrorFacts, ReadsLooseShapes) {
  EXPECT_EQ(read_error_facts(R"({"error":"model not found"})").message, "model not found");
  EXPECT_EQ(read_error_facts(R"({"message":"no","code":"x"})").message, "no");
  EXPECT_EQ(read_error_facts(R"({"detail":"no"})").message, "no");
  EXPECT_EQ(read_error_facts(R"({"code":"x"})").code, "x");
  EXPECT_TRUE(read_error_facts(R"({"type":"response.failed","response":{"error":{"code":"c"}}})").has_error);
}

TEST(ErrorFacts, AnAnswerWithoutErrorHasNone) {
  for (const char* body : {R"({"error":null,"id":"x"})", R"({"error":false})", R"({"error":""})", R"({"choices":[]})",
                           R"({"choices":[{"error":{"code":"x"}}]})", R"({"type":"message_start"})", "{}", "[]", ""}) {
    EXPECT_FALSE(read_error_facts(body).has_error) << body;
  }
}

TEST(ErrorFacts, TextThatIsNoJsonIsNormal) {
  for (const char* body : {"<html>502</html>", "Unauthorized", "", "   ", "42", "null", "\"error\"", "\xff\xfe"}) {
    const auto facts = read_error_facts(body);
    EXPECT_FALSE(facts.is_json) << body;
    EXPECT_FALSE(facts.has_error) << body;
  }
}

TEST(ErrorFacts, KeepsWhatCameBeforeTheBreak) {
  EXPECT_EQ(read_error_facts(R"({"error":{"code":"insufficient_quota","mess)").code, "insufficient_quota");
  EXPECT_EQ(read_error_facts(R"({"error":{"code":"a"},,,)").code, "a");
  EXPECT_EQ(read_error_facts("\xef\xbb\xbf\r\n {\"error\":{\"code\":\"a\"}}").code, "a");
  EXPECT_EQ(read_error_facts("{\"error\":{\"code\":\"a\",\"message\":\"\xff\xfe\"}}").code, "a");
}

TEST(ErrorFacts, DepthAndSizeAreBounded) {
  const auto deep = R"({"error":{"code":"a","x":)" + std::string(100'000, '[');
  EXPECT_EQ(read_error_facts(deep).code, "a");
  const auto wide = R"({"error":{"message":")" + std::string(1 << 20, 'm') + R"(","code":"late"}})";
  const auto facts = read_error_facts(wide);
  EXPECT_EQ(facts.code, "");  // beyond 64 KiB
  EXPECT_LE(facts.message.size(), 2048U);
  const auto long_message = R"({"error":{"message":")" + std::string(5000, 'm') + R"(","code":"c"}})";
  EXPECT_EQ(read_error_facts(long_message).code, "c");
  EXPECT_EQ(read_error_facts(long_message).message.size(), 2048U);
}

TEST(ErrorFacts, SurvivesAnyBytes) {
  std::mt19937_64 random(3);
  const std::string seed =
      R"([{"error":{"code":429,"message":"m","details":[{"@type":"x","violations":[{"quotaId":"a"}],"metadata":{"a":1}}]}}])";
  for (int i = 0; i < 20'000; ++i) {
    std::string body = seed;
    for (int n = 0; n < 4; ++n) body[random() % body.size()] = static_cast<char>(random() & 0xff);
    body.resize(random() % (body.size() + 1));
    (void)read_error_facts(body);
  }
}

}  // namespace
}  // namespace akr
