#include "admin/problem.hpp"

#include "base/json_text.hpp"

namespace akr {
namespace {

struct Kind {
  int status;
  std::string_view code;  // "" = the error's own name
  std::string_view title;
};

Kind kind_of(ErrorCode code) {  // NOLINT(readability-function-size): one row per code
  switch (code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kPathRefused:
      return {400, "", "Bad request"};
    case ErrorCode::kClientGone:
      return {400, "", "The client left"};
    case ErrorCode::kUnauthorized:
      return {401, "", "Login required"};
    case ErrorCode::kAccessKeyMissing:
      return {401, "", "Access key required"};
    case ErrorCode::kAccessKeyInvalid:
      return {401, "", "Access key invalid"};
    case ErrorCode::kAccessKeyConflict:
      return {401, "", "Conflicting credentials"};
    case ErrorCode::kNotFound:
    case ErrorCode::kServiceNotFound:
      return {404, "", "Not found"};
    case ErrorCode::kMethodNotAllowed:
      return {405, "", "Method not allowed"};
    case ErrorCode::kRequestTimeout:
      return {408, "", "Request timeout"};
    case ErrorCode::kConflict:
      return {409, "", "Conflict"};
    case ErrorCode::kPinnedKeyUnavailable:
      return {409, "", "Pinned key unavailable"};
    case ErrorCode::kLengthRequired:
      return {411, "", "Length required"};
    case ErrorCode::kBodyTooLarge:
      return {413, "", "Body too large"};
    case ErrorCode::kUnsupportedMediaType:
      return {415, "", "JSON required"};
    case ErrorCode::kExpectationFailed:
      return {417, "", "Expectation failed"};
    case ErrorCode::kInvalid:
      return {422, "", "Invalid value"};
    case ErrorCode::kUnsupported:
      return {422, "", "Not supported by this build"};
    case ErrorCode::kTooManyRequests:
      return {429, "", "Too many requests"};
    case ErrorCode::kHeadTooLarge:
      return {431, "", "Head too large"};
    case ErrorCode::kInternal:
      return {500, "", "Internal error"};
    case ErrorCode::kLocked:
      return {503, "storage_locked", "Storage locked"};
    case ErrorCode::kStoreUnavailable:
      return {503, "db_unavailable", "Database unavailable"};
    case ErrorCode::kOverloaded:
      return {503, "", "Overloaded"};
    case ErrorCode::kShuttingDown:
      return {503, "", "Shutting down"};
    case ErrorCode::kNoKeysConfigured:
      return {503, "", "No keys"};
    case ErrorCode::kAllKeysCooling:
      return {503, "", "No usable key"};
    case ErrorCode::kCredentialsExhausted:
      return {502, "", "No usable key"};
    case ErrorCode::kUpstreamUnresolved:
    case ErrorCode::kUpstreamConnect:
    case ErrorCode::kUpstreamTls:
    case ErrorCode::kUpstreamRefused:
    case ErrorCode::kEgressProxy:
    case ErrorCode::kUpstreamProtocol:
    case ErrorCode::kUpstreamClosed:
    case ErrorCode::kUpstreamInterrupted:
      return {502, "", "Upstream failed"};
    case ErrorCode::kUpstreamConnectTimeout:
    case ErrorCode::kUpstreamTimeout:
      return {504, "", "Upstream timeout"};
  }
  return {500, "", "Internal error"};
}

// "failure_rules[2].body_regex" -> "/failure_rules/2/body_regex"
std::string pointer_of(std::string_view field) {
  std::string pointer = "/";
  for (const char c : field) {
    if (c != ']') pointer += c == '[' || c == '.' ? '/' : c;
  }
  return pointer;
}

}  // namespace

Problem to_problem(const Error& error) {
  const Kind kind = kind_of(error.code);
  Problem problem{.status = kind.status,
                  .code = std::string(kind.code.empty() ? to_string(error.code) : kind.code),
                  .title = std::string(kind.title),
                  .detail = error.message,
                  .field = error.field,
                  .allow = error.allow,
                  .retry_after = error.retry_after};
  if (error.code == ErrorCode::kConflict && !error.field.empty()) problem.code = "duplicate_" + error.field;
  // What went wrong inside is for the log; the request id leads there.
  if (problem.status == 500) problem.detail = "Internal error; the log has more under this request id.";
  return problem;
}

AdminResponse problem_response(const Problem& problem, const AdminRequest& request) {
  boost::json::object body;
  body["type"] = "/docs/problems/" + problem.code;
  body["title"] = problem.title;
  body["status"] = problem.status;
  body["detail"] = problem.detail;
  body["instance"] = request.path + "#" + request.request_id;
  body["code"] = problem.code;
  if (!problem.params.empty()) body["params"] = problem.params;
  body["request_id"] = request.request_id;
  if (!problem.field.empty()) {
    const boost::json::object wrong{
        {"pointer", pointer_of(problem.field)}, {"code", problem.code}, {"detail", problem.detail}};
    body["errors"] = boost::json::array{wrong};
  }
  body["error"] = problem.detail;
  body["message"] = problem.detail;
  if (problem.login) body["success"] = false;

  AdminResponse response{.status = problem.status, .body = json_text(body)};
  response.headers.emplace_back("Content-Type", "application/problem+json");
  if (problem.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (!problem.allow.empty()) response.headers.emplace_back("Allow", problem.allow);
  if (problem.retry_after > 0) response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after));
  return response;
}

}  // namespace akr
