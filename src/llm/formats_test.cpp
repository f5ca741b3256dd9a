// formats_test.cpp - what every format promises, over the whole registry.
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "llm/registry.hpp"

namespace akr {
namespace {

namespace json = boost::json;

json::object parsed(const std::string& body) { return json::parse(body).as_object(); }

const Format& named(std::string_view api_format) { return *find_format(api_format); }

TEST(Registry, FindsByApiFormat) {
  for (const char* name : {"openai_compatible", "anthropic_native", "gemini_native"}) {
    ASSERT_NE(find_format(name), nullptr) << name;
    EXPECT_EQ(find_format(name)->api_format(), name);
  }
  for (const char* name : {"", "openai", "OPENAI_COMPATIBLE"}) EXPECT_EQ(find_format(name), nullptr) << name;
}

TEST(EveryFormat, HasItsOwnIdAndLowerCaseHeaders) {
  std::set<std::string_view> ids;
  for (const Format* format : formats()) {
    EXPECT_TRUE(ids.insert(format->id()).second) << format->id();
    EXPECT_FALSE(format->upstream_key_placement().header.empty());
    EXPECT_EQ(to_lower(format->upstream_key_placement().header), format->upstream_key_placement().header);
    for (auto name : format->account_request_headers()) EXPECT_EQ(to_lower(name), name);
    for (auto name : format->account_response_headers()) EXPECT_EQ(to_lower(name), name);
    for (const auto& header : format->required_headers()) EXPECT_EQ(to_lower(header.name), header.name);
  }
}

TEST(EveryFormat, UnderstandsItsOwnErrors) {
  for (const Format* format : formats()) {
    for (int status : {400, 401, 403, 404, 405, 413, 429, 500, 502, 503, 504}) {
      const std::string sent = "It's \"broken\"\n\x01 \xe2\x80\xa6";
      const auto body = format->build_error({.status = status, .code = "all_keys_cooling", .message = sent});
      EXPECT_EQ(format->parse_error({.status = status, .body = body}).message, sent) << format->id() << status;
      const auto found = format->error_in_success({.status = 200, .body = body});
      EXPECT_TRUE(found) << format->id() << ' ' << status;
    }
  }
}

TEST(EveryFormat, ToleratesAnyBody) {
  for (const Format* format : formats()) {
    for (const char* body : {"", "<html>", "null", "{", "[]", "{\"error\":null}", "\xff"}) {
      for (int status : {0, 200, 302, 400, 418, 500, 999}) {
        const auto detail = format->parse_error({.status = status, .body = body});
        EXPECT_EQ(detail.status, status);
      }
      EXPECT_FALSE(format->error_in_success({.status = 200, .body = body})) << format->id() << body;
    }
  }
}

TEST(EveryFormat, ContentIsNoError) {
  for (const Format* format : formats()) {
    for (const char* data :
         {R"({"id":"x","choices":[{"delta":{"content":"{\"error\":{}}"}}]})",
          R"({"type":"message_start","message":{}})", R"({"candidates":[{"content":{"parts":[{"text":"error"}]}}]})",
          "[DONE]", "", R"({"type":"response.created","response":{"error":null}})"}) {
      EXPECT_FALSE(format->error_in_event({.data = data}, {})) << format->id() << ' ' << data;
    }
    EXPECT_TRUE(format->error_in_event({.event = "error", .data = "no json"}, {}));
  }
}

TEST(OpenAiChat, BuildsItsErrors) {
  const auto& format = named("openai_compatible");
  const auto error = [&](const ErrorDetail& detail) {
    return parsed(format.build_error(detail)).at("error").as_object();
  };
  EXPECT_EQ(error({.status = 401, .message = "m"}), json::parse(R"({"message":"m","type":"invalid_request_error",
    "param":null,"code":"invalid_api_key"})"));
  EXPECT_EQ(error({.status = 429, .message = "m"}).at("type"), "rate_limit_error");
  EXPECT_EQ(error({.status = 429, .message = "m"}).at("code"), "rate_limit_exceeded");
  EXPECT_EQ(error({.status = 429, .code = "all_keys_cooling"}).at("code"), "all_keys_cooling");
  EXPECT_EQ(error({.status = 502}).at("type"), "server_error");
  EXPECT_TRUE(error({.status = 502}).at("code").is_null());
  EXPECT_EQ(error({.status = 503}).at("type"), "service_unavailable_error");
  EXPECT_EQ(error({.status = 413}).at("type"), "invalid_request_error");
}

TEST(Anthropic, BuildsItsErrors) {
  const auto& format = named("anthropic_native");
  const auto body =
      parsed(format.build_error({.status = 429, .code = "all_keys_cooling", .message = "m", .request_id = "r"}));
  EXPECT_EQ(body, json::parse(R"({"type":"error","error":{"type":"rate_limit_error","message":"m",
    "details":{"error_code":"all_keys_cooling"}},"request_id":"r"})"));
  EXPECT_FALSE(parsed(format.build_error({.status = 400})).contains("request_id"));
  const std::pair<int, const char*> types[] = {{400, "invalid_request_error"},
                                               {401, "authentication_error"},
                                               {403, "permission_error"},
                                               {404, "not_found_error"},
                                               {405, "invalid_request_error"},
                                               {413, "request_too_large"},
                                               {502, "api_error"},
                                               {503, "overloaded_error"},
                                               {504, "timeout_error"},
                                               {529, "overloaded_error"}};
  for (const auto& [status, type] : types) {
    const auto built = parsed(format.build_error({.status = status}));
    EXPECT_EQ(built.at("error").at("type"), type) << status;
  }
}

TEST(Gemini, BuildsItsErrors) {
  const auto& format = named("gemini_native");
  const auto body = parsed(format.build_error(
      {.status = 429, .code = "all_keys_cooling", .message = "m", .retry_after = std::chrono::milliseconds(1200)}));
  EXPECT_EQ(body, json::parse(R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
    {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ALL_KEYS_COOLING","domain":"gateway"},
    {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}})"));
  const std::pair<int, const char*> words[] = {
      {400, "INVALID_ARGUMENT"}, {401, "UNAUTHENTICATED"},  {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},
      {405, "INVALID_ARGUMENT"}, {413, "INVALID_ARGUMENT"}, {500, "INTERNAL"},          {502, "INTERNAL"},
      {503, "UNAVAILABLE"},      {504, "DEADLINE_EXCEEDED"}};
  for (const auto& [status, word] : words) {
    EXPECT_EQ(parsed(format.build_error({.status = status})).at("error").at("status"), word) << status;
  }
  EXPECT_FALSE(parsed(format.build_error({.status = 500})).at("error").as_object().contains("details"));
}

TEST(Placements, AreThoseOfTheProviders) {
  EXPECT_EQ(named("openai_compatible").upstream_key_placement().header, "authorization");
  EXPECT_EQ(named("openai_compatible").upstream_key_placement().prefix, "Bearer ");
  EXPECT_EQ(named("anthropic_native").upstream_key_placement().header, "x-api-key");
  EXPECT_EQ(named("gemini_native").upstream_key_placement().header, "x-goog-api-key");
  EXPECT_EQ(named("anthropic_native").required_headers()[0].value, "2023-06-01");
}

}  // namespace
}  // namespace akr
