// admin_api.hpp - the admin API without its sockets: a request as plain values in, an answer as plain values out.
//
// The HTTP server limits the body's size, hands the request over on a thread that may block, and sends what comes back
// (for HEAD: without the body).  Paths begin with "/admin" and are compared as bytes: nothing is decoded, so that no
// other spelling of a path reaches an endpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/login_throttle.hpp"
#include "admin/password.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "core/service/validate.hpp"
#include "store/config_store.hpp"

namespace akr {

class KeyProber;
class Publisher;
struct Endpoint;

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

struct AdminWait;

struct AdminResponse {
  int status = 200;
  HeaderList headers;  // without Content-Length
  std::string body;
  std::shared_ptr<AdminWait> wait = nullptr;  // set: this is no answer yet
};

// An answer that a provider has to give its part of.  No thread is held meanwhile.
struct AdminWait {
  // Once, on any thread; never blocks.  `done` is called exactly once, on any thread, also when the gateway stops.
  std::function<void(std::function<void()> done)> start;
  // After `done`; never blocks.
  std::function<AdminResponse()> finish;
};

// Which threads an endpoint needs.
enum class AdminWork : std::uint8_t {
  kStore,     // waits for the store
  kPassword,  // computes a password's hash
};

// What is decided from the head alone, once: handle() looks nothing up again.
struct AdminAdmission {
  std::optional<AdminResponse> refused;  // set: the answer; the body is not wanted
  const Endpoint* endpoint = nullptr;    // the one that answers; nullptr: there is none
  std::vector<std::string_view> ids;     // what stood in place of its {..}: views into AdminRequest::path
  std::uint64_t body_limit = 0;          // bytes
  AdminWork work = AdminWork::kStore;
  bool known = false;  // an administrator; else a stranger, until the handler finds out more
  LoginAttempt login;  // of POST /admin/login
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
  std::size_t most_import_keys = 200'000;        // IMPORT_MAX_KEYS
  std::uint32_t validations_at_once = 16;        // VALIDATIONS_AT_ONCE
  ValidationPolicy validation;
  DataPlaneFacts data_plane = {};  // nullptrs: what depends on them is left out or refused
};

class AdminApi {
 public:
  // All of them outlive it.  `prober` may be nullptr.
  AdminApi(AdminSettings settings, ConfigStore& store, Publisher& publisher, const Clock& clock,
           KeyProber* prober = nullptr);
  ~AdminApi();

  // Asked before a body is read: is there such an endpoint, has the client a session, may it log in now, and how long
  // may the body be?  Never blocks.
  AdminAdmission admit(const AdminRequest& head);

  // Is this an admin's session token?  Any thread, never blocks.
  bool accepts(std::string_view token) const;

  // REQUIRES: !admission.refused, and `request` is the very object that was admitted, its body added.  Any thread;
  // blocks as the endpoint's AdminWork says.  Never throws.
  AdminResponse handle(const AdminRequest& request, AdminAdmission admission);
  // Both, for a request that is here whole.
  AdminResponse handle(const AdminRequest& request);

  // The answer to a request that failed before a handler saw it: a body too long or too slow, no room.
  AdminResponse refuse(const AdminRequest& request, const Error& why);

 private:
  struct State;
  AdminResponse answer(const AdminRequest& request, AdminAdmission& admission);
  static void finish(const AdminRequest& request, AdminResponse& response);
  std::unique_ptr<State> state_;
};

}  // namespace akr
