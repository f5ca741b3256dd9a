#include "proxy/attempt/decision_trace.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

using std::chrono::seconds;

void set(SelectTrace& choice, KeyStanding standing, std::uint32_t count) {
  choice.standings[static_cast<std::size_t>(standing)] = count;
}

TEST(DecisionTrace, TellsEveryStep) {
  DecisionTrace trace;
  SelectTrace& first = trace.next_choice();
  set(first, KeyStanding::kUsable, 1);
  set(first, KeyStanding::kCooling, 2);
  set(first, KeyStanding::kDisabled, 5);
  trace.took("1a2b3c4d");
  EXPECT_EQ(trace.skipped(), 2U);
  EXPECT_FALSE(trace.lost());
  trace.ended(429, {.key = KeyAction::kCool, .scope = Scope::kKeyModel, .cool_for = seconds(7), .reason = "http_429"},
              3);
  set(trace.next_choice(), KeyStanding::kCooling, 3);
  trace.found_nobody(ErrorCode::kAllKeysCooling);
  EXPECT_EQ(trace.skipped(), 3U);
  EXPECT_TRUE(trace.lost());
  EXPECT_EQ(trace.json(),
            R"([{"key":"1a2b3c4d","tier":0,"skipped":{"disabled":5,"cooling":2},"status":429,"outcome":"http_429",)"
            R"("action":"cool","scope":"key_model","cooldown_ms":7000,"rule":3},)"
            R"({"skipped":{"cooling":3},"refused":"all_keys_cooling"}])");
}

TEST(DecisionTrace, SaysWhyKeysWaitForTheModel) {
  DecisionTrace trace;
  SelectTrace& choice = trace.next_choice();
  choice.model_cooling = 2;
  choice.model_reason = "model_not_found";
  trace.found_nobody(ErrorCode::kAllKeysCooling);
  EXPECT_EQ(trace.json(),
            R"([{"skipped":{"model_cooling":2},"model_reason":"model_not_found","refused":"all_keys_cooling"}])");
}

TEST(DecisionTrace, AChoiceMadeAgainIsOneStep) {
  DecisionTrace trace;
  trace.next_choice();
  trace.next_choice();
  trace.found_nobody(ErrorCode::kNoKeysConfigured);
  EXPECT_EQ(trace.json(), R"([{"refused":"no_keys_configured"}])");
}

TEST(DecisionTrace, HoldsAsManyAttemptsAsThereCanBe) {
  DecisionTrace trace;
  for (int i = 0; i < 10; ++i) {
    trace.next_choice();
    trace.took("0000000" + std::to_string(i));
    trace.ended(500, {.reason = "http_500"}, -1);
  }
  trace.next_choice();
  trace.found_nobody(ErrorCode::kAllKeysCooling);
  const std::string json = trace.json();
  for (int i = 0; i < 10; ++i) EXPECT_NE(json.find("\"0000000" + std::to_string(i)), std::string::npos);
  EXPECT_NE(json.find("refused"), std::string::npos);
}

TEST(DecisionTrace, NamesUrlAndServiceWhereThereAreSeveral) {
  const UpstreamUrl url{.host_header = "b.example:8080"};
  const std::string slug = "spare";
  DecisionTrace trace;
  trace.next_choice();
  trace.took("1a2b3c4d");
  trace.goes_to(1, url);
  trace.ended(500, {.retry = RetryAdvice::kSameKey, .reason = "http_500"}, -1);
  trace.moves_to(slug);
  trace.next_choice();
  trace.found_nobody(ErrorCode::kAllKeysCooling);
  EXPECT_EQ(trace.json(), R"([{"key":"1a2b3c4d","upstream":1,"host":"b.example:8080","tier":0,"status":500,)"
                          R"("outcome":"http_500"},{"service":"spare","refused":"all_keys_cooling"}])");
}

}  // namespace
}  // namespace akr
