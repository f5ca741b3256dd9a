#include "admin/guard.hpp"

#include <vector>

#include "admin/endpoints.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::string_view kCookie = "akr_session=";

std::vector<std::string_view> all_headers(const AdminRequest& request, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [header, value] : request.headers) {
    if (header == name) values.push_back(value);
  }
  return values;
}

// "" unless there is exactly one: of two cookies nobody can say which one the browser meant.
std::string session_cookie(const AdminRequest& request) {
  std::string token;
  int count = 0;
  for (std::string_view header : all_headers(request, "cookie")) {
    for (std::string_view pair : split(header, ';')) {
      pair = trim(pair);
      if (!pair.starts_with(kCookie)) continue;
      token = pair.substr(kCookie.size());
      ++count;
    }
  }
  return count == 1 ? token : "";
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

// What browsers say about where a request comes from; a request that says nothing is not a browser's page of ours.
bool from_own_origin(const AdminRequest& request) {
  if (const std::string* site = find_header(request, "sec-fetch-site"))
    return *site == "same-origin" || *site == "none";
  const std::string* origin = find_header(request, "origin");
  const std::string* host = find_header(request, "host");
  if (origin == nullptr || host == nullptr || host->empty()) return false;
  const auto scheme = origin->find("://");
  return scheme != std::string::npos && iequals(std::string_view(*origin).substr(scheme + 3), *host);
}

Problem login_required() { return to_problem({ErrorCode::kUnauthorized, "A valid session is required."}); }

}  // namespace

std::optional<Problem> refuse_stranger(const AdminRequest& request, const Sessions& sessions) {
  const auto authorizations = all_headers(request, "authorization");
  if (!authorizations.empty()) {
    constexpr std::string_view kBearer = "Bearer ";
    const std::string_view value = authorizations.front();
    const bool valid = authorizations.size() == 1 && istarts_with(value, kBearer) &&
                       sessions.accepts(std::string(value.substr(kBearer.size())));
    if (!valid) return login_required();
    return std::nullopt;
  }
  if (!sessions.accepts(session_cookie(request))) return login_required();
  if (is_safe(request.method) || from_own_origin(request)) return std::nullopt;
  return Problem{.status = 403,
                 .code = "origin_rejected",
                 .title = "Foreign origin",
                 .detail = "A session cookie may change something only from this site's own pages."};
}

std::optional<Problem> refuse_foreign_body(const AdminRequest& request) {
  if (request.body.empty()) return std::nullopt;
  const std::string* given = find_header(request, "content-type");
  const std::string type = given == nullptr ? "" : to_lower(trim(split(*given, ';').front()));
  if (type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"))) return std::nullopt;
  return to_problem({ErrorCode::kUnsupportedMediaType, "The body must be sent as Content-Type: application/json."});
}

}  // namespace akr
