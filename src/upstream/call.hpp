// call.hpp - one call to one URL of a service: an idle connection or a new one, the exchange, and the second try when
// an idle connection turned out dead.  Clients' requests and our own calls (validation, tests) go out here.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/client/exchange.hpp"
#include "net/client/upstream_pool.hpp"
#include "net/http/message_slot.hpp"
#include "net/loop/client_watch.hpp"
#include "net/loop/task.hpp"
#include "upstream/routed_service.hpp"

namespace akr {

// The proxy of the environment for a URL (USE_ENV_PROXY); "" = none.
using EnvProxy = std::function<std::string(const UpstreamUrl&)>;

// What goes out: asked for anew for each connection that it goes out on.
class OutgoingRequest {
 public:
  virtual ~OutgoingRequest() = default;
  // Appends the whole head, in which the key is.
  virtual void write_head(std::string& out) = 0;
  // The body from its beginning; nullptr = none.
  virtual net::BodySource* start_body() { return nullptr; }
};

// Everything that it refers to outlives the call.
struct Call {
  const RoutedService& service;
  const UpstreamUrl& url;  // one of the service's
  OutgoingRequest& request;
  net::ClientWatch* client = nullptr;  // who leaves ends the call; nullptr: nobody waits at the other end
  TimePoint connect_until = TimePoint::max();
  net::ExchangeLimits limits = {};  // may_resend: the work may be done twice (D39)
  bool head_method = false;
  bool replayable = true;  // the body can be sent a second time
};

// kAnswered: the connection holds the rest of the answer.
struct CallResult {
  std::optional<Error> not_connected;  // nothing was sent; errors as Connector::connect
  net::ExchangeResult exchange = {};
};

// One per worker, on its thread.
class Caller {
 public:
  // Both outlive the caller.
  Caller(net::Worker& worker, net::UpstreamPool& pool, EnvProxy env_proxy = {})
      : worker_(worker), pool_(pool), env_proxy_(std::move(env_proxy)) {}

  net::Worker& worker() { return worker_; }
  net::Task<CallResult> make(const Call& call, net::UpstreamConnection& connection, net::MessageSlotPtr& answer);

 private:
  net::Task<Result<void>> connect(const Call& call, net::UpstreamOrigin origin, net::UpstreamConnection& connection);

  net::Worker& worker_;
  net::UpstreamPool& pool_;
  const EnvProxy env_proxy_;
};

}  // namespace akr
