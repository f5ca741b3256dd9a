// pins_fixture.hpp - services that make things which belong to one key.
#pragma once

#include <atomic>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr::test {

inline constexpr const char* kJsonType = "Content-Type: application/json\r\n";
inline constexpr const char* kSseType = "Content-Type: text/event-stream\r\n";
inline constexpr const char* kOpenAi = "openai_compatible";
inline constexpr const char* kAnthropic = "anthropic_native";
inline constexpr const char* kGemini = "gemini_native";

inline const AffinityRule kJobs = {
    .method = "POST", .path = "/jobs", .created = {"/job/id", "/parts/0"}, .used = {"/after"}};

inline ProxySpec spec_for(const FakeUpstream& upstream, const std::string& format) {
  ProxySpec spec = {.target_url = upstream.url(), .keys = 5, .pinning = Pinning::kSpread};
  spec.llm = !format.empty();
  if (spec.llm) spec.api_format = format;
  if (!spec.llm) spec.affinity_rules = {kJobs};
  return spec;
}

inline constexpr const char* kResponseStream =
    "event: response.created\r\ndata: "
    "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_s\",\"output\":[]}}\r\n\r\n"
    "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"item\":{\"id\":\"rs_s\"}}\n\n"
    "data: [DONE]\n\n";
constexpr const char* kMessageStream =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"container\":null}}\n\n"
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"container\":{\"id\":\"container_s\"}}}\n\n";
constexpr const char* kCodeTool =
    R"({"model":"m","messages":[],"tools":[{"type":"code_execution_20250825","name":"code_execution"}]})";

class Pins : public testing::Test {
 protected:
  explicit Pins(const char* format = kOpenAi) : proxy_(spec_for(upstream_, format)) {}

  static FakeUpstream::Script answering(std::string body, std::string fields = kJsonType) {
    return [body = std::move(body), fields = std::move(fields)](UpstreamCall& call) { call.answer(200, body, fields); };
  }
  // Makes it, and says with which key.
  int make_file(const std::string& id) {
    script_ = answering(R"({"id":")" + id + R"("})");
    EXPECT_EQ(proxy_.post("/v1/files", "form", kJson).status, 200);
    script_ = answering("{}");
    return key_of(upstream_.last());
  }
  static int key_of(const SeenRequest& seen) {
    const std::string value = seen.field("authorization");
    return std::stoi(value.substr(value.size() - 3));
  }
  static std::string code_of(const HttpAnswer& answer) {
    return std::string(boost::json::parse(answer.body).at("error").at("code").as_string());
  }
  void expect_unavailable(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(code_of(answer), "pinned_key_unavailable");
    EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
  }

  std::atomic<bool> go_on_ = false;
  ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  ProxyUnderTest proxy_;
};

}  // namespace akr::test
