#include "proxy/answer/answer_tap.hpp"

#include <algorithm>
#include <ctime>
#include <string>

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"

namespace akr {
namespace {

// Cut into pieces of every size: what is read must not depend on them.
std::optional<std::uint64_t> total(std::string_view format, bool is_stream, std::string_view text) {
  std::optional<std::uint64_t> first;
  for (const std::size_t piece : {text.size(), std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    const Dialect& dialect = *find_provider(format)->dialects.front();
    AnswerTap tap(is_stream ? BodyForm::kEvents : BodyForm::kJson, std::make_unique<UsageCount>(dialect), nullptr);
    for (std::size_t at = 0; at < text.size(); at += piece) tap.take(text.substr(at, piece));
    const auto found = tap.finish();
    if (piece == text.size()) first = found;
    EXPECT_EQ(found, first) << piece;
  }
  return first;
}

TEST(UsageCountTest, OfAJsonAnswer) {
  EXPECT_EQ(total("openai_compatible", false, R"({"choices":[],"usage":{"total_tokens":12}})"), 12U);
  EXPECT_EQ(total("anthropic_native", false, R"({"usage":{"input_tokens":5,"output_tokens":7}})"), 12U);
  EXPECT_EQ(total("gemini_native", false, R"([{"a":1},{"usageMetadata":{"totalTokenCount":12}}])"), 12U);
  EXPECT_FALSE(total("openai_compatible", false, R"({"choices":[]})"));
  EXPECT_FALSE(total("openai_compatible", false, "<html>"));
}

TEST(UsageCountTest, OfAnAnswerThatIsTooLongToBeKept) {
  const std::string words(300'000, 'x');
  const std::string text = R"({"content":")" + words + R"( \"usage\":{\"total_tokens\":99} ",)";
  EXPECT_EQ(total("openai_compatible", false, text + R"("usage" : {"total_tokens":12,"details":{"a":"}"}},"x":1})"),
            12U);
  EXPECT_FALSE(total("openai_compatible", false, text + R"("x":1})"));
  EXPECT_FALSE(total("openai_compatible", false, text + R"("usage":{"total_tok)"));
}

TEST(UsageCountTest, TheLastWholeMemberCounts) {
  const auto last = [](std::string_view json) { return std::string(last_usage_member(json)); };
  EXPECT_EQ(last(R"(x","usage":{"a":1},"usage":{"a":2},"b":"usage")"), R"("usage":{"a":2})");
  EXPECT_EQ(last(R"(x","usage":{"a":1,"usage":{"b":"}\"}"}},"usage":{"cut)"), R"("usage":{"b":"}\"}"})");
  EXPECT_EQ(last(R"(}}}","usageMetadata" : {"a":{"b":{}}}}}}})"), R"("usageMetadata" : {"a":{"b":{}}})");
  EXPECT_EQ(last(R"(x \"usage\":{\"a\":1}","usage":3,"usage":[{}],"usage)"), "");
  EXPECT_EQ(last(""), "");
  EXPECT_EQ(last(R"("usage":{})"), "");  // its quote may have lost a backslash before it
}

// 140 KiB of "usage":{ in an answer of a service with tpm held a worker for 0.4 s: each object that is cut was walked
// to the end.  Stands for searches that begin anew at every place that fits.
TEST(UsageCountTest, AnAnswerFullOfCutMembersIsWalkedOnce) {
  static constexpr std::string_view kMember = R"("usage":{)";
  const auto cpu_time = [](std::size_t members) {
    std::string text = "x,";
    for (std::size_t i = 0; i < members; ++i) text += kMember;
    const std::clock_t began = std::clock();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(last_usage_member(text), "");
    return std::clock() - began;
  };
  const std::clock_t once = std::max<std::clock_t>(cpu_time(16'000), 1000);
  EXPECT_LT(cpu_time(128'000), 32 * once) << "eight times as much text: eight times the work, not 64";
  EXPECT_LT(once, CLOCKS_PER_SEC / 2) << "144 KB four times: 1.6 s when it was quadratic";
}

TEST(UsageCountTest, OfAStream) {
  EXPECT_EQ(
      total("openai_compatible", true,
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n"
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":3,\"total_tokens\":5}}\n\n"
            "data: [DONE]\n\n"),
      5U);
  EXPECT_EQ(
      total("anthropic_native", true,
            "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,"
            "\"cache_creation_input_tokens\":4,\"cache_read_input_tokens\":1000,\"output_tokens\":1}}}\r\n\r\n"
            "event: message_delta\r\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":20}}\r\n\r\n"),
      34U);
  EXPECT_EQ(
      total("gemini_native", true,
            "data: {\"usageMetadata\":{\"totalTokenCount\":8}}\n\ndata: {\"usageMetadata\":{\"totalTokenCount\":30}}"),
      30U);
  EXPECT_FALSE(total("openai_compatible", true, "data: {\"choices\":[]}\n\n: \"usage\"\n\n"));
}

TEST(UsageCountTest, AnEndlessLineIsPassedOver) {
  const std::string text = "data: \"" + std::string(200'000, 'x') + "\"\n\ndata: {\"usage\":{\"total_tokens\":5}}\n\n";
  EXPECT_EQ(total("openai_compatible", true, text), 5U);
}

}  // namespace
}  // namespace akr
