#include "admin/guard.hpp"

#include <vector>

#include "admin/endpoints.hpp"
#include "base/strict_url.hpp"
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
bool from_own_origin(const AdminRequest& request, std::string_view public_base_url) {
  if (const std::string* site = find_header(request, "sec-fetch-site"))
    return *site == "same-origin" || *site == "none";
  const std::string* origin = find_header(request, "origin");
  const std::string* host = find_header(request, "host");
  if (origin == nullptr || host == nullptr || host->empty()) return false;
  const PublicUrl from = split_public_url(*origin);
  if (!from.base.empty() || !iequals(from.host, *host)) return false;
  if (iequals(from.scheme, "https")) return browser_uses_https(request, public_base_url);
  return iequals(from.scheme, "http") && !request.https;
}

Problem login_required() { return to_problem({ErrorCode::kUnauthorized, "A valid session is required."}); }

}  // namespace

PublicUrl split_public_url(std::string_view url) {
  const auto read = parse_strict_url(url);
  if (!read) return {};
  PublicUrl parts{.scheme = read->scheme, .host = read->host, .base = read->path};
  // With the port: views into one text, side by side.
  if (read->has_port) parts.host = {read->host.data(), read->host.size() + 1 + read->port.size()};
  while (parts.base.ends_with('/')) parts.base.remove_suffix(1);
  return parts;
}

bool browser_uses_https(const AdminRequest& request, std::string_view public_base_url) {
  if (request.https) return true;
  const PublicUrl url = split_public_url(public_base_url);
  const std::string* host = find_header(request, "host");
  return iequals(url.scheme, "https") && host != nullptr && iequals(*host, url.host);
}

std::optional<Problem> refuse_stranger(const AdminRequest& request, const Sessions& sessions,
                                       std::string_view public_base_url) {
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
  if (is_safe(request.method) || from_own_origin(request, public_base_url)) return std::nullopt;
  return to_problem({ErrorCode::kOriginRejected,
                     "A session cookie may change something only from this site's own pages. Behind a proxy that "
                     "ends TLS, set TRUSTED_PROXIES and let it send X-Forwarded-Proto, or set "
                     "PROXY_PUBLIC_BASE_URL to the https URL."});
}

std::optional<Problem> refuse_foreign_body(const AdminRequest& request) {
  if (request.body.empty()) return std::nullopt;
  const std::string* given = find_header(request, "content-type");
  const std::string type = given == nullptr ? "" : to_lower(trim(split(*given, ';').front()));
  if (type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"))) return std::nullopt;
  return to_problem({ErrorCode::kUnsupportedMediaType, "The body must be sent as Content-Type: application/json."});
}

}  // namespace akr
