// A dialect that no other file knows, through the whole data plane: what a new one costs is its own file and one line
// (kDialects below; in the product llm/dialect/registry.cpp).
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "admin/known_formats.hpp"
#include "core/service/validate.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr {
namespace {

using test::FakeUpstream;
using test::HttpClient;
using test::kJson;
using test::ProxySpec;
using test::ProxyUnderTest;
using test::UpstreamCall;

// ---- its own file

// {"oops": "..."} is an error, {"cost": {"in": 1, "out": 2}} a usage, {"said": ""} nothing.
class Toy final : public Dialect {
 public:
  std::string_view id() const override { return "toy"; }
  Operation operation_of(std::string_view path) const override {
    return path.ends_with("/talk") ? Operation::kGenerate : Operation::kNone;
  }
  std::string_view usage_clue() const override { return "\"cost"; }
  std::string_view error_clue() const override { return "oops"; }
  ErrorFacts read_error(std::string_view body) const override {
    ErrorFacts facts;
    boost::system::error_code failed;
    const boost::json::value value = boost::json::parse(body, failed);
    if (failed || !value.is_object()) return facts;
    const boost::json::value* const oops = value.get_object().if_contains("oops");
    facts.has_error = oops != nullptr;
    // The error is in the text of an answer with any status, so all of these say the same.
    if (facts.has_error) facts.code = facts.message = std::string(oops->as_string());
    return facts;
  }
  std::string build_error(const ErrorDetail& detail) const override {
    return boost::json::serialize(boost::json::object{{"oops", detail.message}});
  }
  std::string build_error_event(const ErrorDetail& detail) const override {
    return "event: oops\ndata: " + build_error(detail) + "\n\n";
  }
  std::string_view keep_alive() const override { return "event: hum\n\n"; }

 private:
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    const boost::json::value* const cost = answer.if_contains("cost");
    if (cost == nullptr) return;
    usage.input = static_cast<std::uint64_t>(cost->at("in").as_int64());
    usage.output = static_cast<std::uint64_t>(cost->at("out").as_int64());
  }
  bool is_empty(const boost::json::object& answer) const override {
    const boost::json::value* const said = answer.if_contains("said");
    return said != nullptr && said->as_string().empty();
  }
};

const Dialect& toy() {
  static const Toy kInstance;
  return kInstance;
}

// ---- the one line

const Dialect* const kDialects[] = {dialects()[0], dialects()[1], &toy()};

// ---- somebody who speaks it, as every provider may

const Provider& toy_speaker() {
  static const Dialect* const kSpoken[] = {dialects()[0], &toy()};
  static constexpr ErrorRule kRules[] = {{.text = "no such key", .kind = FailureKind::kCredential}};
  static const Provider kInstance = {.id = "speaker",
                                     .api_format = "speaker",
                                     .dialects = kSpoken,
                                     .credential = {.header = "authorization", .prefix = "Bearer "},
                                     .model = {},
                                     .free_call = "/keys",
                                     .error_rules = kRules};
  return kInstance;
}

ProxySpec spec_for(const FakeUpstream& upstream, int keys) {
  return {.target_url = upstream.url(), .keys = keys, .llm = true, .provider = &toy_speaker(), .policy = "fill_first"};
}

constexpr std::string_view kTalk = R"({"model":"m"})";
constexpr std::string_view kSse = "Content-Type: text/event-stream\r\n";
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

bool first_key(const UpstreamCall& call) { return call.request().field("authorization") == ProxyUnderTest::bearer(1); }

TEST(ToyDialect, ServicesMayNameIt) {
  Service service;
  service.name = service.slug = "s";
  service.type = ServiceType::kLlm;
  service.target_url = "https://a.example";
  service.api_format = "openai_compatible";
  service.output_format = "toy";
  const auto refusal = [&](const KnownFormats& formats) {
    return validate_service(service, {.formats = formats}).error().code;
  };
  EXPECT_EQ(refusal(known_formats()), ErrorCode::kInvalid);
  EXPECT_EQ(refusal(known_formats(providers(), kDialects)), ErrorCode::kUnsupported) << "known, but not converted to";
}

TEST(ToyDialect, OurErrorsAreWrittenInIt) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "{}", kJson); });
  ProxyUnderTest proxy(spec_for(upstream, 0));
  const auto answer = proxy.post("/talk", kTalk);
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(boost::json::parse(answer.body).at("oops").as_string().find("no enabled key"), std::string::npos)
      << answer.body;
  EXPECT_EQ(boost::json::parse(proxy.post("/v1/chat/completions", kTalk).body).as_object().count("error"), 1U)
      << "the path tells which dialect it is";
}

TEST(ToyDialect, ItsErrorsAreUnderstoodWhereverTheyStand) {
  for (const bool streamed : {false, true}) {
    FakeUpstream upstream([&](UpstreamCall& call) {
      const std::string text = first_key(call) ? R"({"oops":"no such key"})" : R"({"said":"hi"})";
      streamed ? call.answer(200, "data: " + text + "\n\n", kSse) : call.answer(401, text, kJson);
    });
    ProxyUnderTest proxy(spec_for(upstream, 2));
    proxy.post("/talk", kTalk);
    EXPECT_EQ(proxy.status(1).state, KeyState::kInvalid) << streamed;
  }
}

TEST(ToyDialect, ItsUsageIsCounted) {
  for (const bool streamed : {false, true}) {
    FakeUpstream upstream([&](UpstreamCall& call) {
      const std::string text = R"({"said":"hi","cost":{"in":40,"out":60}})";
      streamed ? call.answer(200, "data: " + text + "\n\n", kSse) : call.answer(200, text, kJson);
    });
    ProxySpec spec = spec_for(upstream, 2);
    spec.limits = {.tpm = 90};
    ProxyUnderTest proxy(spec);
    EXPECT_EQ(proxy.post("/talk", kTalk).status, 200);
    EXPECT_EQ(proxy.post("/talk", kTalk).status, 200);
    EXPECT_EQ(upstream.last().field("authorization"), ProxyUnderTest::bearer(2)) << streamed;
  }
}

TEST(ToyDialect, ItsEmptyAnswersAreTriedAgain) {
  FakeUpstream upstream(
      [](UpstreamCall& call) { call.answer(200, first_key(call) ? R"({"said":""})" : R"({"said":"hi"})", kJson); });
  ProxySpec spec = spec_for(upstream, 2);
  spec.retry_on_empty = true;
  ProxyUnderTest proxy(spec);
  EXPECT_EQ(proxy.post("/talk", kTalk).body, R"({"said":"hi"})");
}

TEST(ToyDialect, ItsClientsAreKeptWaitingAndToldOfCuts) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.read_body();
    call.send(kChunked);
    call.send_chunk("data: {\"said\":\"a\"}\n\n");
    call.wait(std::chrono::milliseconds(100));
    call.reset();
  });
  ProxySpec spec = spec_for(upstream, 1);
  spec.sse_keepalive = std::chrono::milliseconds(40);
  ProxyUnderTest proxy(spec);
  const auto answer = proxy.post("/talk", kTalk);
  EXPECT_FALSE(answer.complete);
  EXPECT_NE(answer.body.find("\n\nevent: hum\n\n"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("event: oops\ndata: {\"oops\":\"the stream was interrupted"), std::string::npos)
      << answer.body;
}

}  // namespace
}  // namespace akr
