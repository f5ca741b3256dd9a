// endpoints.hpp - THE list of admin endpoints, and what a handler is given.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "admin/admin_api.hpp"
#include "admin/login_throttle.hpp"
#include "admin/publisher.hpp"
#include "admin/session.hpp"
#include "base/result.hpp"

namespace akr {

class KeyProber;

// What handlers work with; lives as long as the AdminApi.
struct AdminParts {
  const AdminSettings& settings;
  ConfigStore& store;
  Publisher& publisher;
  const Clock& clock;
  const Sessions& sessions;
  LoginThrottle& throttle;
  KeyProber* prober = nullptr;  // nullptr: this node does not validate keys
};

// One call of an endpoint.
struct AdminCall {
  const AdminRequest& request;
  AdminParts& parts;
  std::vector<std::string_view> ids = {};  // what stood in place of the pattern's {..}, in order
};

// Handlers answer, or return the Error that problem.hpp turns into an answer.
using AdminHandler = Result<AdminResponse> (*)(AdminCall&);

enum class Access { kPublic, kSession };

struct Endpoint {
  std::string_view method;
  std::string_view path;  // segments in braces match anything
  Access access;
  AdminHandler handle;
};
std::span<const Endpoint> endpoints();

// Which endpoint answers; one trailing slash is forgiven, and HEAD is served by GET's.  kNotFound ("Route not found"),
// or kMethodNotAllowed with Error::allow.
struct EndpointMatch {
  const Endpoint* endpoint = nullptr;
  std::vector<std::string_view> ids;  // views into the path
};
Result<EndpointMatch> find_endpoint(std::string_view method, std::string_view path);

AdminResponse json_response(int status, const boost::json::value& body);

// First header of this lower-case name; nullptr if absent.
const std::string* find_header(const AdminRequest& request, std::string_view name);

}  // namespace akr
