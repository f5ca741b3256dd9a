// formats_test.cpp - what every dialect and every provider promise, over the whole registries.
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "llm/dialect/registry.hpp"
#include "llm/provider/registry.hpp"

namespace akr {
namespace {

namespace json = boost::json;

json::object parsed(const std::string& body) { return json::parse(body).as_object(); }

const Provider& named(std::string_view api_format) { return *find_provider(api_format); }
const Dialect& spoken_at(std::string_view api_format) { return *named(api_format).dialects.front(); }

// Each provider, in each of the dialects that it speaks.
std::vector<UpstreamSpeech> speeches() {
  std::vector<UpstreamSpeech> all;
  for (const Provider* provider : providers()) {
    for (const Dialect* dialect : provider->dialects) all.push_back({provider, dialect});
  }
  return all;
}

std::string name_of(const UpstreamSpeech& speech) {
  return std::string(speech.provider->id) + " in " + std::string(speech.dialect->id());
}

TEST(Registry, FindsByApiFormat) {
  for (const char* name : {"openai_compatible", "anthropic_native", "gemini_native"}) {
    ASSERT_NE(find_provider(name), nullptr) << name;
    EXPECT_EQ(find_provider(name)->api_format, name);
  }
  for (const char* name : {"", "openai", "OPENAI_COMPATIBLE"}) EXPECT_EQ(find_provider(name), nullptr) << name;
}

TEST(EveryProvider, HasItsOwnIdAndLowerCaseHeaders) {
  std::set<std::string_view> ids, names;
  for (const Provider* provider : providers()) {
    EXPECT_TRUE(ids.insert(provider->id).second) << provider->id;
    EXPECT_TRUE(names.insert(provider->api_format).second) << provider->id;
    EXPECT_FALSE(provider->dialects.empty());
    EXPECT_FALSE(provider->free_call.empty());
    EXPECT_FALSE(provider->credential.header.empty());
    EXPECT_EQ(to_lower(provider->credential.header), provider->credential.header);
    for (auto name : provider->account_request_headers) EXPECT_EQ(to_lower(name), name);
    for (auto name : provider->account_response_headers) EXPECT_EQ(to_lower(name), name);
    for (const auto& header : provider->required_headers) EXPECT_EQ(to_lower(header.name), header.name);
  }
}

TEST(EveryDialect, HasItsOwnIdAndIsInTheList) {
  std::set<std::string_view> ids, names;
  for (const Dialect* dialect : dialects()) {
    EXPECT_TRUE(ids.insert(dialect->id()).second) << dialect->id();
    EXPECT_TRUE(names.insert(dialect->output_format()).second) << dialect->id();
    for (auto name : dialect->telltale_fields()) EXPECT_EQ(to_lower(name), name);
  }
  for (const UpstreamSpeech& speech : speeches()) EXPECT_TRUE(ids.contains(speech.dialect->id())) << name_of(speech);
}

TEST(EveryFormat, UnderstandsItsOwnErrors) {
  for (const UpstreamSpeech& speech : speeches()) {
    for (int status : {400, 401, 403, 404, 405, 413, 429, 500, 502, 503, 504}) {
      const std::string sent = "It's \"broken\"\n\x01 \xe2\x80\xa6";
      const auto body = speech.dialect->build_error({.status = status, .code = "all_keys_cooling", .message = sent});
      EXPECT_EQ(speech.parse_error({.status = status, .body = body}).message, sent) << name_of(speech) << status;
      const auto found = speech.error_in_success({.status = 200, .body = body});
      EXPECT_TRUE(found) << name_of(speech) << ' ' << status;
    }
  }
}

TEST(EveryFormat, ToleratesAnyBody) {
  for (const UpstreamSpeech& speech : speeches()) {
    for (const char* body : {"", "<html>", "null", "{", "[]", "{\"error\":null}", "\xff"}) {
      for (int status : {0, 200, 302, 400, 418, 500, 999}) {
        const auto detail = speech.parse_error({.status = status, .body = body});
        EXPECT_EQ(detail.status, status);
      }
      EXPECT_FALSE(speech.error_in_success({.status = 200, .body = body})) << name_of(speech) << body;
    }
  }
}

TEST(EveryFormat, ContentIsNoError) {
  for (const UpstreamSpeech& speech : speeches()) {
    for (const char* data :
         {R"({"id":"x","choices":[{"delta":{"content":"{\"error\":{}}"}}]})",
          R"({"type":"message_start","message":{}})", R"({"candidates":[{"content":{"parts":[{"text":"error"}]}}]})",
          "[DONE]", "", R"({"type":"response.created","response":{"error":null}})"}) {
      EXPECT_FALSE(speech.error_in_event({.data = data}, {})) << name_of(speech) << ' ' << data;
    }
    EXPECT_TRUE(speech.error_in_event({.event = "error", .data = "no json"}, {}));
  }
}

TEST(OpenAiChat, BuildsItsErrors) {
  const auto& format = spoken_at("openai_compatible");
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
  const auto& format = spoken_at("anthropic_native");
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
  const auto& format = spoken_at("gemini_native");
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
  EXPECT_EQ(named("openai_compatible").credential.header, "authorization");
  EXPECT_EQ(named("openai_compatible").credential.prefix, "Bearer ");
  EXPECT_EQ(named("anthropic_native").credential.header, "x-api-key");
  EXPECT_EQ(named("gemini_native").credential.header, "x-goog-api-key");
  EXPECT_EQ(named("anthropic_native").required_headers[0].value, "2023-06-01");
}

}  // namespace
}  // namespace akr
