// Answers that were blamed on keys and are not theirs: pages of fronts, refused content, one operation's permission.
#include "llm/common_errors.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"

namespace akr {
namespace {

using Head = std::vector<HeaderView>;

ErrorDetail of_rest(int status, std::string_view body, const Head& head = {}) {
  return explain_unknown({.status = status, .headers = head, .body = body});
}

// The same for every provider, and for an upstream of which nothing is known.
void expect_everywhere(int status, std::string_view body, const Head& head, FailureKind kind) {
  EXPECT_EQ(of_rest(status, body, head).kind, kind) << body;
  for (const Provider* provider : providers()) {
    const UpstreamSpeech upstream = {provider, provider->dialects.front()};
    EXPECT_EQ(upstream.parse_error({.status = status, .headers = head, .body = body}).kind, kind)
        << provider->id << ' ' << body;
  }
}

// A challenge page benched every key for minutes.
TEST(FrontPage, IsABadGatewayWhateverItsStatus) {
  const Head pages[] = {{{"Content-Type", "text/html; charset=UTF-8"}},
                        {{"content-type", "Text/HTML"}, {"Retry-After", "30"}},
                        {{"Content-Type", "application/json"}, {"cf-mitigated", "challenge"}},
                        {{"x-vercel-mitigated", "deny"}},
                        {{"x-amzn-waf-action", "captcha"}},
                        {{"Server", "cloudflare"}, {"Content-Type", "text/plain"}}};
  for (const Head& head : pages) {
    for (const int status : {401, 403, 429}) {
      const ErrorDetail rest = of_rest(status, "error code: 1020", head);
      EXPECT_EQ(rest.status, 502) << head.front().name;
      EXPECT_EQ(rest.code, "front_page");
      EXPECT_EQ(rest.retry_after, std::nullopt);
      for (const Provider* provider : providers()) {
        const UpstreamSpeech upstream = {provider, provider->dialects.front()};
        EXPECT_EQ(upstream.parse_error({.status = status, .headers = head, .body = "error code: 1020"}).status, 502);
      }
    }
  }
}

TEST(FrontPage, OtherAnswersAreTheProviders) {
  EXPECT_EQ(of_rest(403, "{}", {{"Content-Type", "application/json"}}).status, 403);
  EXPECT_EQ(of_rest(403, "Forbidden", {{"Content-Type", "text/plain"}}).status, 403);
  EXPECT_EQ(of_rest(403, "Forbidden").status, 403);
  EXPECT_EQ(of_rest(404, "<html>", {{"Content-Type", "text/html"}}).status, 404);
  EXPECT_EQ(of_rest(402, "<html>", {{"Content-Type", "text/html"}}).status, 402);
  // express-rate-limit says it in HTML, with its counters beside it.
  EXPECT_EQ(of_rest(429, "Too many requests", {{"Content-Type", "text/html"}, {"X-RateLimit-Remaining", "0"}}).status,
            429);
}

// One user's flagged prompt took every key out of the pool.
TEST(Moderation, IsTheRequests) {
  for (const char* body :
       {R"({"error":{"code":403,"message":"Your chosen model requires moderation and your input was flagged"}})",
        R"({"error":{"code":"content_policy_violation","message":"m"}})",
        R"({"error":{"code":"DataInspectionFailed","message":"m"}})",
        R"({"error":{"code":"sensitive_words_detected","message":"m"}})",
        R"({"error":{"message":"Your prompt was flagged by our safety system."}})",
        R"({"error":{"message":"The response was filtered due to our content management policy"}})"}) {
    expect_everywhere(403, body, {}, FailureKind::kRequest);
  }
}

TEST(Moderation, AnAccountThatIsFlaggedOrSuspendedIsNone) {
  EXPECT_EQ(of_rest(403, R"({"message":"Sorry. Your account was suspended for its content policy violations."})").kind,
            FailureKind::kSuspended);
  EXPECT_EQ(of_rest(403, R"({"message":"Your account was flagged."})").kind, FailureKind::kUnknown);
}

TEST(Scope, AMissingOneIsAPermissionOfOneOperation) {
  for (const int status : {401, 403}) {
    expect_everywhere(status, R"({"error":{"message":"You have insufficient permissions. Missing scopes: a.b"}})", {},
                      FailureKind::kPermission);
    expect_everywhere(status, "{}",
                      {{"WWW-Authenticate", R"(Bearer realm="x", error="insufficient_scope", scope="a")"}},
                      FailureKind::kPermission);
  }
  EXPECT_EQ(of_rest(403, R"({"message":"Resource not accessible by personal access token"})").kind,
            FailureKind::kPermission);
  EXPECT_EQ(of_rest(403, R"({"error":{"details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}})").kind,
            FailureKind::kPermission);
  EXPECT_EQ(of_rest(401, "{}", {{"WWW-Authenticate", R"(Bearer error="invalid_token")"}}).kind, FailureKind::kUnknown);
}

// An account in arrears was told to the client as its own bad request, although other accounts were paid.
TEST(Arrears, AreAnEmptyAccount) {
  const UpstreamSpeech upstream = {find_provider("openai_compatible"),
                                   find_provider("openai_compatible")->dialects.front()};
  const std::pair<int, const char*> cases[] = {
      {400, R"({"error":{"code":"Arrearage","type":"Arrearage","message":"Access denied"}})"},
      {400, R"({"code":"Arrearage","message":"Access denied, please make sure your account is in good standing."})"},
      {403, R"({"error":{"code":"AccountOverdueError","message":"m"}})"},
      {429, R"({"error":{"type":"exceeded_current_quota_error","message":"m"}})"},
      {403, R"({"error":{"code":"pre_consume_token_quota_failed","message":"m"}})"},
  };
  for (const auto& [status, body] : cases) {
    EXPECT_EQ(upstream.parse_error({.status = status, .body = body}).kind, FailureKind::kQuota) << body;
  }
}

// A browser's Origin made Anthropic answer 401 for every key, and all became invalid.
TEST(Cors, ARefusedOriginIsTheRequests) {
  const UpstreamSpeech upstream = {find_provider("anthropic_native"),
                                   find_provider("anthropic_native")->dialects.front()};
  const ErrorDetail detail = upstream.parse_error(
      {.status = 401,
       .body =
           R"({"type":"error","error":{"type":"authentication_error","message":"CORS requests must set 'x' header"}})"});
  EXPECT_EQ(detail.kind, FailureKind::kRequest);
}

}  // namespace
}  // namespace akr
