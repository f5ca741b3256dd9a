// A provider that no other file knows, through data plane and prober: what a new one costs is its own file and one line
// (kProviders below; in the product llm/provider/registry.cpp).
#include <gtest/gtest.h>

#include "admin/known_formats.hpp"
#include "core/service/validate.hpp"
#include "llm/dialect/openai_chat/openai_chat.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"
#include "upstream/free_call.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::kJson;
using test::ProxySpec;
using test::ProxyUnderTest;
using test::UpstreamCall;

// ---- its own file

constexpr HeaderView kRequired[] = {{"toy-version", "7"}};
constexpr std::string_view kAccount[] = {"toy-account"};
constexpr std::string_view kVersions[] = {"v7"};
constexpr std::string_view kModels[] = {"/toys/"};
constexpr std::string_view kDolls[] = {"/doll"};
constexpr ResourceRule kThings[] = {{"dolls", kDolls}};
constexpr std::string_view kMembers[] = {"doll"};
constexpr ResourceMap kResources = {.rules = kThings, .members = kMembers};
constexpr ErrorRule kRules[] = {{402, ErrorRule::Match::kPhrase, "broken toy", FailureKind::kCredential, "broken_toy"}};

void refine(const ErrorAnswer& answer, const ErrorFacts& /*facts*/, ErrorDetail& detail) {
  if (answer.status == 499) detail.retry_after = std::chrono::seconds(7);
}

const Provider& toy() {
  static const Dialect* const kSpoken[] = {&openai_chat_dialect()};
  static const Provider kInstance = {.id = "toy",
                                     .api_format = "toy_native",
                                     .dialects = kSpoken,
                                     .credential = {.header = "x-toy-key", .prefix = "Toy "},
                                     .required_headers = kRequired,
                                     .account_request_headers = kAccount,
                                     .account_response_headers = kAccount,
                                     .versions = kVersions,
                                     .model = {.behind = kModels, .in_body = false},
                                     .free_call = "/v7/box",
                                     .resources = &kResources,
                                     .error_rules = kRules,
                                     .refine = refine};
  return kInstance;
}

// ---- the one line

const Provider* const kProviders[] = {providers()[0], &toy()};

ProxySpec spec_for(const FakeUpstream& upstream, int keys) {
  return {.target_url = upstream.url(),
          .keys = keys,
          .llm = true,
          .api_format = "toy_native",
          .provider = &toy(),
          .adjust = [](Service& service) { service.key_placement.reset(); }};
}

TEST(ToyProvider, ServicesMayNameIt) {
  Service service;
  service.name = service.slug = "s";
  service.type = ServiceType::kLlm;
  service.target_url = "https://a.example";
  service.api_format = "toy_native";
  EXPECT_FALSE(validate_service(service, {.formats = known_formats()}));
  EXPECT_TRUE(validate_service(service, {.formats = known_formats(kProviders)}));
  EXPECT_EQ(client_format(service, known_formats(kProviders)), "openai");
}

TEST(ToyProvider, RequestsCarryWhatItWants) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, R"({"choices":[]})", kJson); });
  ProxyUnderTest proxy(spec_for(upstream, 1));
  EXPECT_EQ(proxy.post("/v7/v7/toys/bear/chat/completions", "{}").status, 200);
  EXPECT_EQ(upstream.last().target, "/v7/toys/bear/chat/completions");
  EXPECT_EQ(upstream.last().field("x-toy-key"), "Toy " + ProxyUnderTest::key(1));
  EXPECT_EQ(upstream.last().field("toy-version"), "7");
  EXPECT_EQ(upstream.last().count("authorization"), 0U);
}

TEST(ToyProvider, ItsAccountsAreNobodysBusiness) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.answer(200, R"({"choices":[]})", "Content-Type: application/json\r\nToy-Account: ours\r\nToy-Other: 1\r\n");
  });
  ProxyUnderTest proxy(spec_for(upstream, 1));
  const auto answer = proxy.post("/v7/toys/bear/chat/completions", "{}", "TOY-account: theirs\r\nToy-Other: 2\r\n");
  EXPECT_EQ(upstream.last().count("toy-account"), 0U);
  EXPECT_EQ(upstream.last().field("toy-other"), "2");
  EXPECT_EQ(answer.count("toy-account"), 0U);
  EXPECT_EQ(answer.field("toy-other"), "1");
}

TEST(ToyProvider, ItsErrorsAreUnderstood) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(402, R"({"error":"Broken toy!"})", kJson); });
  ProxyUnderTest proxy(spec_for(upstream, 1));
  proxy.post("/v7/toys/bear/chat/completions", "{}");
  EXPECT_EQ(proxy.status(1).state, KeyState::kInvalid);
  const UpstreamSpeech spoken = {&toy(), toy().dialects.front()};
  EXPECT_EQ(spoken.parse_error({.status = 499}).retry_after, std::chrono::seconds(7));
}

TEST(ToyProvider, ItsModelsStandInThePath) {
  EXPECT_EQ(toy().model_in("/v7/toys/bear/chat/completions?x=/toys/y"), "bear");
}

TEST(ToyProvider, ItsThingsGoBackToTheKeyThatMadeThem) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, R"({"doll":"doll-77"})", kJson); });
  ProxyUnderTest proxy(spec_for(upstream, 3));
  EXPECT_EQ(proxy.post("/v7/dolls", "{}").status, 200);
  const std::string maker = upstream.last().field("x-toy-key");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy.post("/v7/toys/bear/chat/completions", R"({"doll":"doll-77"})").status, 200);
    EXPECT_EQ(upstream.last().field("x-toy-key"), maker);
  }
}

TEST(ToyProvider, ItsKeysAreValidatedByItsFreeCall) {
  RoutedService service;
  service.config.type = ServiceType::kLlm;
  service.config.api_format = "toy_native";
  service.provider = &toy();
  service.join = join_rule(&toy());
  service.url = parse_upstream_url("https://a.example/v7").value();
  PooledKey key;
  key.secret = Secret("k");
  std::string head;
  FreeCall::make(service, service.url, key).value().write_head(head);
  EXPECT_TRUE(head.starts_with("GET /v7/box HTTP/1.1\r\nHost: a.example\r\n")) << head;
  EXPECT_NE(head.find("x-toy-key: Toy k\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("toy-version: 7\r\n"), std::string::npos) << head;
}

}  // namespace
}  // namespace akr
