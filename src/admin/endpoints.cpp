#include "admin/endpoints.hpp"

#include <algorithm>

#include "admin/handlers.hpp"
#include "base/json_text.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

constexpr Endpoint kEndpoints[] = {
    {"GET", "/admin/app-config", Access::kPublic, get_app_config},
    {"POST", "/admin/login", Access::kPublic, post_login},
    {"GET", "/admin/proxy-configs", Access::kSession, list_services},
    {"POST", "/admin/proxy-configs", Access::kSession, create_service},
    {"GET", "/admin/proxy-configs/{id}", Access::kSession, get_service},
    {"PUT", "/admin/proxy-configs/{id}", Access::kSession, change_service},
    {"DELETE", "/admin/proxy-configs/{id}", Access::kSession, delete_service},
    {"PUT", "/admin/proxy-configs/{id}/status", Access::kSession, switch_service},
    {"GET", "/admin/proxy-configs/{id}/keys", Access::kSession, list_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys", Access::kSession, add_service_key},
    {"DELETE", "/admin/proxy-configs/{id}/keys", Access::kSession, clear_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys/batch", Access::kSession, import_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys/reset", Access::kSession, reset_service_keys},
    {"POST", "/admin/proxy-configs/{id}/keys/validate", Access::kSession, validate_service_keys},
    {"PATCH", "/admin/keys/{id}", Access::kSession, change_key},
    {"POST", "/admin/keys/{id}/reset", Access::kSession, reset_key},
    {"POST", "/admin/keys/{id}/validate", Access::kSession, validate_key_now},
    {"DELETE", "/admin/keys/{id}", Access::kSession, delete_key},
    {"POST", "/admin/simulate", Access::kSession, simulate},
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
