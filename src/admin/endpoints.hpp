// endpoints.hpp - THE list of admin endpoints, and what a handler is given.
#pragma once

#include <cstdint>
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
#include "net/loop/budget.hpp"

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
  net::Budget& validations;     // that people wait for
  KeyProber* prober = nullptr;  // nullptr: this node does not validate keys
};

// One call of an endpoint.
struct AdminCall {
  const AdminRequest& request;
  AdminParts& parts;
  std::vector<std::string_view> ids = {};  // what stood in place of the pattern's {..}, in order
  LoginAttempt* login = nullptr;           // of POST /admin/login
};

inline constexpr std::string_view kLoginPath = "/admin/login";

// Handlers answer (with AdminResponse::wait, if a provider has to be asked first), or return the Error that problem.hpp
// turns into an answer.
using AdminHandler = Result<AdminResponse> (*)(AdminCall&);

enum class Access { kPublic, kSession };

struct Endpoint {
  std::string_view method;
  std::string_view path;  // segments in braces match anything
  Access access;
  std::uint64_t body_limit;  // bytes; longer ones get 413
  AdminHandler handle;
  AdminWork work = AdminWork::kStore;
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
