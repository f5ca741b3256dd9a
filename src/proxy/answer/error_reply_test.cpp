#include "proxy/answer/error_reply.hpp"

#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "llm/dialect/registry.hpp"
#include "llm/provider/registry.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"

namespace akr {
namespace {

namespace json = boost::json;

// The table of the issue, as clients see it.
TEST(ErrorStatus, Table) {
  const std::pair<ErrorCode, int> rows[] = {{ErrorCode::kBadRequest, 400},
                                            {ErrorCode::kAccessKeyConflict, 400},
                                            {ErrorCode::kPathRefused, 400},
                                            {ErrorCode::kAccessKeyMissing, 401},
                                            {ErrorCode::kAccessKeyInvalid, 401},
                                            {ErrorCode::kServiceNotFound, 404},
                                            {ErrorCode::kMethodNotAllowed, 405},
                                            {ErrorCode::kRequestTimeout, 408},
                                            {ErrorCode::kBodyTooLarge, 413},
                                            {ErrorCode::kExpectationFailed, 417},
                                            {ErrorCode::kAllKeysCooling, 429},
                                            {ErrorCode::kHeadTooLarge, 431},
                                            {ErrorCode::kClientGone, 499},
                                            {ErrorCode::kInternal, 500},
                                            {ErrorCode::kCredentialsExhausted, 502},
                                            {ErrorCode::kUpstreamUnresolved, 502},
                                            {ErrorCode::kUpstreamConnect, 502},
                                            {ErrorCode::kUpstreamTls, 502},
                                            {ErrorCode::kUpstreamRefused, 502},
                                            {ErrorCode::kEgressProxy, 502},
                                            {ErrorCode::kUpstreamProtocol, 502},
                                            {ErrorCode::kUpstreamClosed, 502},
                                            {ErrorCode::kUpstreamInterrupted, 502},
                                            {ErrorCode::kNoKeysConfigured, 503},
                                            {ErrorCode::kOverloaded, 503},
                                            {ErrorCode::kShuttingDown, 503},
                                            {ErrorCode::kLocked, 503},
                                            {ErrorCode::kStoreUnavailable, 503},
                                            {ErrorCode::kUpstreamConnectTimeout, 504},
                                            {ErrorCode::kUpstreamTimeout, 504}};
  for (const auto& [code, status] : rows) EXPECT_EQ(status_of(code), status) << to_string(code);
}

TEST(ErrorBody, RestHasTheOriginalsMember) {
  const auto body = json::parse(error_body(nullptr, {ErrorCode::kServiceNotFound, "no \"x\"\n"}, "id-1")).as_object();
  EXPECT_EQ(body.at("detail").as_string(), "no \"x\"\n");
  EXPECT_EQ(body.at("code").as_string(), "service_not_found");
  EXPECT_EQ(body.at("request_id").as_string(), "id-1");
  EXPECT_FALSE(json::parse(error_body(nullptr, {ErrorCode::kInternal, "x"}, "")).as_object().contains("request_id"));
}

TEST(ErrorBody, EveryDialectIsJsonWithTheMessage) {
  for (const Dialect* dialect : dialects()) {
    const std::string body = error_body(dialect, {ErrorCode::kUpstreamTimeout, "timer 'first_byte' fired"}, "id-1");
    EXPECT_NE(json::serialize(json::parse(body)).find("timer 'first_byte' fired"), std::string::npos) << dialect->id();
  }
}

const Dialect* guess(const std::string& target, const std::string& fields = "") {
  const std::string text = "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
  net::MessageHead head;
  EXPECT_EQ(head.parse_request(text), net::ParseStatus::kDone);
  return guess_dialect(head);
}

const Dialect* spoken_at(std::string_view api_format) { return find_provider(api_format)->dialects.front(); }

TEST(GuessDialect, FromPathAndFields) {
  EXPECT_EQ(guess("/proxy/x/v1/messages"), nullptr);
  EXPECT_EQ(guess("/llm/x/v1/chat/completions"), spoken_at("openai_compatible"));
  EXPECT_EQ(guess("/llm/x/v1/messages"), spoken_at("anthropic_native"));
  EXPECT_EQ(guess("/llm/x/other", "anthropic-version: 1\r\n"), spoken_at("anthropic_native"));
  EXPECT_EQ(guess("/llm/x/v1beta/models/m:generateContent"), spoken_at("gemini_native"));
  EXPECT_EQ(guess("/llm/x/other", "x-goog-api-key: k\r\n"), spoken_at("gemini_native"));
}

// What goes over the wire for an error of a request that matched nothing.
test::HttpAnswer answer_with(const Error& error, const std::string& target = "/proxy/s/a", bool answered = false) {
  test::HandlerServer server([&](net::Downstream& client) -> net::Task<void> {
    const auto table = std::make_shared<const RoutingTable>(std::vector<RoutedService>());
    RequestContext ctx(client, table, client.worker().now());
    ctx.id = "id-1";
    if (answered) {
      co_await client.reply(200, "", "first");
    }
    co_await reply_with_error(ctx, error);
    EXPECT_TRUE(ctx.failed);
    EXPECT_EQ(ctx.error, error.code);
  });
  return test::HttpClient(server.port()).ask("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(ErrorReply, FieldsByCode) {
  const auto plain = answer_with({ErrorCode::kServiceNotFound, "none"});
  EXPECT_EQ(plain.status, 404);
  EXPECT_EQ(plain.field("x-request-id"), "id-1");
  EXPECT_EQ(plain.field("x-rotator-error-source"), "gateway");
  EXPECT_EQ(plain.field("cache-control"), "no-store");
  EXPECT_EQ(plain.count("retry-after") + plain.count("allow") + plain.count("www-authenticate"), 0U);
  EXPECT_EQ(answer_with({ErrorCode::kMethodNotAllowed, "no", "", "GET"}).field("allow"), "GET");
  EXPECT_EQ(answer_with({ErrorCode::kAccessKeyMissing, "no"}).field("www-authenticate"), "Bearer");
  EXPECT_EQ(answer_with({ErrorCode::kAllKeysCooling, "no", "", "", 7}).field("retry-after"), "7");
}

TEST(ErrorReply, SdksAreToldWhenAnotherTryIsPointless) {
  const std::string llm = "/llm/s/v1/chat/completions";
  EXPECT_EQ(answer_with({ErrorCode::kNoKeysConfigured, "none"}, llm).field("x-should-retry"), "false");
  EXPECT_EQ(answer_with({ErrorCode::kAllKeysCooling, "later", "", "", 600}, llm).field("x-should-retry"), "false");
  EXPECT_EQ(answer_with({ErrorCode::kAllKeysCooling, "soon", "", "", 5}, llm).count("x-should-retry"), 0U);
  EXPECT_EQ(answer_with({ErrorCode::kNoKeysConfigured, "none"}).count("x-should-retry"), 0U);
}

TEST(ErrorReply, NeverAnswersTwice) {
  const auto answer = answer_with({ErrorCode::kInternal, "late"}, "/proxy/s/a", true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "first");
}

TEST(ErrorReply, NothingForAClientThatIsGone) { EXPECT_EQ(answer_with({ErrorCode::kClientGone, "gone"}).status, 0); }

TEST(ErrorReply, WhatWasFramedBadlyClosesTheConnection) {
  EXPECT_EQ(answer_with({ErrorCode::kBadRequest, "chunks"}).field("connection"), "close");
  EXPECT_EQ(answer_with({ErrorCode::kServiceNotFound, "none"}).count("connection"), 0U);
}

}  // namespace
}  // namespace akr
