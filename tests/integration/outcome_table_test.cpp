// outcome_table_test.cpp - answers as providers send them, through the provider's parse_error() and core's classify(),
// to the verdict.  Cases: src/llm/testdata/provider_answers.json; "now" is 2026-11-22T20:32:33Z unless a case says
// otherwise.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "core/outcome/outcome.hpp"
#include "llm/provider/registry.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

namespace json = boost::json;

// ---- words of the fixture

const char* word(FailureKind kind) {
  constexpr const char* kWords[] = {
      "unknown",    "request",     "credential",        "suspended",      "rate_limit",
      "quota",      "daily_quota", "monthly_quota",     "permission",     "model_unavailable",
      "overloaded", "region",      "too_large_for_key", "address_refused"};
  return kWords[static_cast<int>(kind)];
}

const char* word(KeyAction action) {
  constexpr const char* kWords[] = {"none", "good", "cool", "exhaust", "suspect", "forbid", "invalidate"};
  return kWords[static_cast<int>(action)];
}

const char* word(Scope scope) {
  constexpr const char* kWords[] = {"key", "key_model", "group", "group_model"};
  return kWords[static_cast<int>(scope)];
}

const char* word(RetryAdvice advice) {
  constexpr const char* kWords[] = {"return", "next_key", "same_key"};
  return kWords[static_cast<int>(advice)];
}

// ---- one case

std::string text(const json::value& value) { return std::string(value.as_string()); }

WallTime time_of(const json::object& entry) {
  const std::string written = entry.contains("now") ? text(entry.at("now")) : "2026-11-22T20:32:33Z";
  const auto since_epoch = parse_rfc3339(written, WallTime{});
  EXPECT_TRUE(since_epoch) << written;
  return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(*since_epoch));
}

std::optional<ErrorDetail> read_answer(const json::object& entry, const std::string& body) {
  const Provider* const provider = find_provider(text(entry.at("format")));
  const UpstreamSpeech upstream = {provider, provider->dialects.front()};
  std::vector<std::pair<std::string, std::string>> owned;
  if (const auto* headers = entry.if_contains("headers")) {
    for (const auto& [name, value] : headers->as_object()) owned.emplace_back(name, text(value));
  }
  std::vector<HeaderView> headers;
  for (const auto& [name, value] : owned) headers.push_back({name, value});
  const ErrorAnswer answer{.status = static_cast<int>(entry.at("status").as_int64()),
                           .headers = headers,
                           .body = body,
                           .now = time_of(entry)};
  if (const auto* event = entry.if_contains("event")) {
    if (text(*event) == "body") return upstream.error_in_success(answer);
    return upstream.error_in_event({.event = text(*event), .data = body}, answer.now);
  }
  return upstream.parse_error(answer);
}

// As proxy/attempt/attempts carries it across.
Verdict judge(const ErrorDetail& detail) {
  return classify({.status = detail.status,
                   .kind = detail.kind,
                   .retry_after = detail.retry_after,
                   .retry_from = detail.retry_from,
                   .code = detail.code});
}

void expect_case(const json::object& entry) {
  const auto& body_value = entry.at("body");
  const std::string body = body_value.is_string() ? text(body_value) : json::serialize(body_value);
  const auto detail = read_answer(entry, body);
  ASSERT_TRUE(detail);
  const Verdict verdict = judge(*detail);
  const auto& expect = entry.at("expect").as_object();
  EXPECT_EQ(word(detail->kind), text(expect.at("kind")));
  EXPECT_EQ(word(verdict.key), text(expect.at("key")));
  EXPECT_EQ(word(verdict.scope), text(expect.at("scope")));
  EXPECT_EQ(word(verdict.retry), text(expect.at("retry")));
  EXPECT_EQ(verdict.cool_for.has_value(), !expect.at("cool_s").is_null());
  if (verdict.cool_for && !expect.at("cool_s").is_null()) {
    EXPECT_NEAR(std::chrono::duration<double>(*verdict.cool_for).count(), expect.at("cool_s").to_number<double>(),
                1e-6);
  }
  if (const auto* reason = expect.if_contains("reason")) EXPECT_EQ(verdict.reason, text(*reason));
}

json::array load_cases() {
  const auto file = std::filesystem::path(AKR_SOURCE_DIR) / "src/llm/testdata/provider_answers.json";
  std::ifstream in(file);
  std::stringstream all;
  all << in.rdbuf();
  return json::parse(all.str()).as_array();
}

TEST(OutcomeTable, ProviderAnswersGiveTheExpectedVerdict) {
  const auto cases = load_cases();
  ASSERT_GE(cases.size(), 60U);
  for (const auto& entry : cases) {
    SCOPED_TRACE(text(entry.as_object().at("format")) + ": " + text(entry.as_object().at("name")));
    expect_case(entry.as_object());
  }
}

// D01: whatever a request error says, no key is touched and nothing is tried again.
TEST(OutcomeTable, RequestErrorsNeverTouchAKey) {
  const std::string body =
      R"({"error":{"message":"quota exceeded, invalid api key, rate limit, suspended","code":"x"}})";
  for (const Provider* provider : providers()) {
    const UpstreamSpeech upstream = {provider, provider->dialects.front()};
    for (int status : {404, 405, 409, 410, 413, 415, 422}) {
      const auto verdict = judge(upstream.parse_error({.status = status, .body = body}));
      EXPECT_EQ(verdict.key, KeyAction::kNone) << provider->id << ' ' << status;
      EXPECT_EQ(verdict.retry, RetryAdvice::kReturn) << provider->id << ' ' << status;
    }
  }
}

}  // namespace
}  // namespace akr
