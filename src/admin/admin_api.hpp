// admin_api.hpp - the admin API without its sockets: a request as plain values in, an answer as plain values out.
//
// The HTTP server limits the body's size, hands the request over on a thread that may block, and sends what comes back
// (for HEAD: without the body).  Paths begin with "/admin" and are compared as bytes: nothing is decoded, so that no
// other spelling of a path reaches an endpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/password.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "core/validate.hpp"
#include "store/config_store.hpp"

namespace akr {

class KeyProber;
class Publisher;

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct AdminRequest {
  std::string method;
  std::string path;    // without the query; still percent-encoded
  std::string query;   // without '?'
  HeaderList headers;  // names in lower case
  std::string body;
  std::string client_ip;
  bool https = false;  // the client speaks it, to us or to a proxy that we trust
  std::string request_id;
};

struct AdminResponse {
  int status = 200;
  HeaderList headers;  // without Content-Length
  std::string body;
};

// What the data plane, which this folder never sees, would say to a client: for POST /admin/simulate.
struct DataPlaneFacts {
  int (*status_of)(ErrorCode) = nullptr;
  std::uint64_t (*hash_affinity)(std::string_view access_key, std::string_view session) = nullptr;
};

struct AdminSettings {
  std::string username;
  PasswordVerifier password;
  Secret session_secret;                         // at least 32 bytes
  std::string public_base_url;                   // PROXY_PUBLIC_BASE_URL
  std::chrono::milliseconds rest_total{30'000};  // PROXY_TIMEOUT
  ValidationPolicy validation;
  DataPlaneFacts data_plane = {};  // nullptrs: what depends on them is left out or refused
};

class AdminApi {
 public:
  // All of them outlive it.  `prober` may be nullptr.
  AdminApi(AdminSettings settings, ConfigStore& store, Publisher& publisher, const Clock& clock,
           KeyProber* prober = nullptr);
  ~AdminApi();

  // What can be refused from the head alone (no such endpoint, no session): asked before a body is read.  Never blocks.
  std::optional<AdminResponse> refuse(const AdminRequest& head);

  // Is this an admin's session token?  Any thread, never blocks.
  bool accepts(std::string_view token) const;

  // Any thread; blocks on the store and, for a login, on the password's hash.  Never throws.
  AdminResponse handle(const AdminRequest& request);

 private:
  struct State;
  std::optional<AdminResponse> refuse_at_head(const AdminRequest& request);
  AdminResponse answer(const AdminRequest& request);
  static void finish(const AdminRequest& request, AdminResponse& response);
  std::unique_ptr<State> state_;
};

}  // namespace akr
