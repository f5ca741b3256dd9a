#include "admin/endpoints.hpp"

#include <algorithm>

#include "admin/handlers.hpp"
#include "base/json_text.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

// How long bodies may be.
constexpr std::uint64_t kNoBody = 8ULL << 10;  // nothing is read from it; a harmless one is forgiven
constexpr std::uint64_t kLogin = 8ULL << 10;   // anybody may send it
constexpr std::uint64_t kSmall = 64ULL << 10;  // a key, a switch
constexpr std::uint64_t kService = 1ULL << 20;
constexpr std::uint64_t kIds = 1ULL << 20;      // of about 100,000 keys
constexpr std::uint64_t kImport = 64ULL << 20;  // keys themselves

constexpr Endpoint kEndpoints[] = {
    {"GET", "/admin/app-config", Access::kPublic, kNoBody, get_app_config},
    {"GET", "/admin/meta", Access::kSession, kNoBody, get_meta},
    {"GET", "/admin/openapi.json", Access::kSession, kNoBody, get_openapi},
    {"POST", kLoginPath, Access::kPublic, kLogin, post_login, AdminWork::kPassword},
    {"GET", "/admin/proxy-configs", Access::kSession, kNoBody, list_services},
    {"POST", "/admin/proxy-configs", Access::kSession, kService, create_service},
    {"GET", "/admin/proxy-configs/{id}", Access::kSession, kNoBody, get_service},
    {"PUT", "/admin/proxy-configs/{id}", Access::kSession, kService, change_service},
    {"DELETE", "/admin/proxy-configs/{id}", Access::kSession, kNoBody, delete_service},
    {"PUT", "/admin/proxy-configs/{id}/status", Access::kSession, kSmall, switch_service},
    {"GET", "/admin/proxy-configs/{id}/keys", Access::kSession, kNoBody, list_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys", Access::kSession, kSmall, add_service_key},
    {"DELETE", "/admin/proxy-configs/{id}/keys", Access::kSession, kNoBody, clear_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys/batch", Access::kSession, kImport, import_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys/reset", Access::kSession, kIds, reset_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys/validate", Access::kSession, kIds, validate_service_keys},
    {"PATCH", "/admin/keys/{id}", Access::kSession, kSmall, change_key},
    {"POST", "/admin/keys/{id}/reset", Access::kSession, kSmall, reset_key},
    {"POST", "/admin/keys/{id}/validate", Access::kSession, kSmall, validate_key_now},
    {"DELETE", "/admin/keys/{id}", Access::kSession, kNoBody, delete_key},
    {"POST", "/admin/simulate", Access::kSession, kSmall, simulate},
};

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string_view>& ids) {
  const auto wanted = split(pattern, '/');
  const auto given = split(path, '/');
  if (wanted.size() != given.size()) return false;
  ids.clear();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{')) {
      if (given[i].empty()) return false;
      ids.push_back(given[i]);
    } else if (wanted[i] != given[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::span<const Endpoint> endpoints() { return kEndpoints; }

Result<EndpointMatch> find_endpoint(std::string_view method, std::string_view path) {
  // The original redirected to the path without the slash; serving it saves every client the second request.
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (method == "HEAD") method = "GET";
  std::string allow;
  for (const Endpoint& endpoint : kEndpoints) {
    std::vector<std::string_view> ids;
    if (!matches(endpoint.path, path, ids)) continue;
    if (endpoint.method == method) return EndpointMatch{&endpoint, std::move(ids)};
    allow += (allow.empty() ? "" : ", ") + std::string(endpoint.method);
    if (endpoint.method == "GET") allow += ", HEAD";
  }
  if (allow.empty()) return Error{ErrorCode::kNotFound, "Route not found"};
  return Error{
      .code = ErrorCode::kMethodNotAllowed, .message = "This path accepts " + allow + " only.", .allow = allow};
}

AdminResponse json_response(int status, const boost::json::value& body) {
  return {status, {{"Content-Type", "application/json; charset=utf-8"}}, json_text(body)};
}

const std::string* find_header(const AdminRequest& request, std::string_view name) {
  const auto found = std::find_if(request.headers.begin(), request.headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == request.headers.end() ? nullptr : &found->second;
}

}  // namespace akr
