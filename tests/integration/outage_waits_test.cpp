// outage_waits_test.cpp - waits that we invented, and refusals of our own address: behaviour.md D25.  The pool's time
// is the test's.
#include <set>

#include <gtest/gtest.h>

#include "tests/support/scripted_keys.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using test::ChangingScript;
using test::FakeUpstream;
using test::kChat;
using test::kJson;
using test::PoolClock;
using test::ProxyUnderTest;
using test::UpstreamCall;

constexpr std::string_view kOpenAiPath = "/v1/chat/completions";

struct Sickness {
  std::string name;
  std::string api_format;
  std::string_view path;
  int status;
  std::string body;
};

// None of them names a time.
const Sickness kSicknesses[] = {
    {"429 without RetryInfo", "gemini_native", "/v1beta/models/gemini-x:generateContent", 429,
     R"({"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED"}})"},
    {"permission", "anthropic_native", "/v1/messages", 403,
     R"({"type":"error","error":{"type":"permission_error","message":"Your API key may not use this."}})"},
    {"model", "openai_compatible", kOpenAiPath, 404,
     R"({"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}})"},
    {"address of an account", "openai_compatible", kOpenAiPath, 401,
     R"({"error":{"message":"Your IP address is not allowed","type":"invalid_request_error","code":"ip_not_authorized"}})"},
};

int number_of_key(const test::SeenRequest& request) {
  for (const std::string_view field : {"authorization", "x-api-key", "x-goog-api-key"}) {
    const std::string value = request.field(field);
    if (value.size() >= 3) return std::stoi(value.substr(value.size() - 3));
  }
  return 0;
}

// A default of ours looked like the provider's hint, so the outage guard ignored it: twelve keys stayed out for a
// minute, or ten, after an upstream that was sick for three seconds.
TEST(OutageWaits, TwelveKeysAreInUseAgainWithinFiveSecondsOfTheCure) {
  for (const Sickness& sickness : kSicknesses) {
    ChangingScript script;
    script = [&](UpstreamCall& call) { call.answer(sickness.status, sickness.body, kJson); };
    FakeUpstream upstream([&](UpstreamCall& call) { script(call); });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 12, .llm = true, .api_format = sickness.api_format});
    PoolClock clock(proxy.pool());
    for (int i = 0; i < 30; ++i, clock.pass(100ms)) EXPECT_NE(proxy.post(sickness.path, kChat).status, 200);
    script = [](UpstreamCall& call) { call.answer(200, "{}", kJson); };
    std::set<int> used;
    for (int i = 0; i < 50; ++i, clock.pass(100ms)) {
      if (proxy.post(sickness.path, kChat).status == 200) used.insert(number_of_key(upstream.last()));
    }
    EXPECT_EQ(used.size(), 12U) << sickness.name;
  }
}

// "Request not allowed" and refused countries passed at full rate, each one a danger to the keys.
TEST(OutageWaits, ARefusedCountrySlowsThePoolDownAndBlamesNoKey) {
  const Sickness refusals[] = {
      {"Anthropic", "anthropic_native", "/v1/messages", 403,
       R"({"type":"error","error":{"type":"forbidden","message":"Request not allowed"}})"},
      {"OpenAI", "openai_compatible", kOpenAiPath, 403,
       R"({"error":{"code":"unsupported_country_region_territory","message":"Country not supported","type":"request_forbidden"}})"},
      {"Gemini", "gemini_native", "/v1beta/models/gemini-x:generateContent", 400,
       R"({"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}})"},
  };
  for (const Sickness& refusal : refusals) {
    ChangingScript script;
    script = [&](UpstreamCall& call) { call.answer(refusal.status, refusal.body, kJson); };
    FakeUpstream upstream([&](UpstreamCall& call) { script(call); });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 5, .llm = true, .api_format = refusal.api_format});
    PoolClock clock(proxy.pool());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(proxy.post(refusal.path, kChat).body, refusal.body) << refusal.name;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(proxy.post(refusal.path, kChat).status, 429);
    EXPECT_EQ(upstream.requests(), 5);
    EXPECT_EQ(proxy.post(refusal.path, kChat).field("retry-after"), "1");
    EXPECT_TRUE(proxy.pool().outage().suspected);
    script = [](UpstreamCall& call) { call.answer(200, "{}", kJson); };
    clock.pass(1s);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(proxy.post(refusal.path, kChat).status, 200);
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(proxy.status(i).state, KeyState::kActive);
  }
}

}  // namespace
}  // namespace akr
