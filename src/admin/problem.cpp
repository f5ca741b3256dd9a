#include "admin/problem.hpp"

#include "base/error_table.hpp"
#include "base/json_text.hpp"

namespace akr {
namespace {

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
  const ErrorRow& row = row_of(error.code);
  // Of the database's setting that is to blame, not of the request.
  const std::string field = error.code == ErrorCode::kStoreRefused ? "" : error.field;
  Problem problem{.status = row.status,
                  .code = std::string(row.admin_name.empty() ? row.name : row.admin_name),
                  .title = std::string(row.title.en),
                  // What stands beside a form's field is a remark, not a sentence.
                  .detail = field.empty() ? for_people(std::string_view(error.message)) : error.message,
                  .field = field,
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
