// gateway.hpp - the life of a request (ARCHITECTURE.md section 6).  One Gateway per worker.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/loop/blocking_pool.hpp"
#include "net/loop/task.hpp"
#include "net/server/downstream.hpp"
#include "proxy/answer/access_log.hpp"
#include "proxy/answer/relay.hpp"
#include "proxy/attempt/attempts.hpp"
#include "proxy/request/access_keys.hpp"
#include "proxy/request/pins.hpp"
#include "proxy/request/request_ids.hpp"
#include "proxy/request/upload_credential.hpp"
#include "upstream/routing_table.hpp"

namespace akr {

// Is this token an administrator's session?  Called on every worker's thread; must not block.
using AdminCheck = std::function<bool(std::string_view token)>;

struct GatewaySettings {
  BodyLimits body;
  std::string public_base_url;          // PROXY_PUBLIC_BASE_URL, if it was set
  std::size_t packed_error = 1 << 20;   // bytes of a compressed error body that are looked into
  std::string body_directory = "/tmp";  // for bodies over 1 MiB
  net::BlockingPool* disk = nullptr;    // writes them; nullptr: the worker does
  RelaySettings relay;
  PinSettings pins;
  const UploadCredentials* uploads = nullptr;  // shared by all workers, outlives them; nullptr: no such credentials
  AdminCheck is_admin;                         // decides who may see traces (X-Rotator-Explain); empty = nobody
};

class Gateway {
 public:
  // Everything outlives the gateway; `keys` is shared by all workers and constant.
  Gateway(net::Worker& worker, const AccessKeys& keys, Attempts& attempts, AccessLog& log, GatewaySettings settings);

  // Answers one request to /proxy/... or /llm/...
  net::Task<void> handle(net::Downstream& client);

  // On the worker's thread; requests that run keep the table they began with.
  void set_routing(std::shared_ptr<const RoutingTable> table) { routing_ = std::move(table); }

 private:
  net::Task<Result<void>> serve(RequestContext& ctx);
  // Parts of it that most requests do not need.
  net::Task<Result<void>> receive(RequestContext& ctx, PreparedRequest& request, const Result<void>& admitted);
  net::Task<Result<void>> look_inside(RequestContext& ctx, Attempt& last);
  net::Task<Result<void>> switch_protocols(RequestContext& ctx, const PreparedRequest& request, Attempt& last);
  Result<void> admit(RequestContext& ctx);
  static Result<void> check_method(const RequestContext& ctx);

  net::Worker& worker_;
  const AccessKeys& keys_;
  Attempts& attempts_;
  AccessLog& log_;
  GatewaySettings settings_;
  std::shared_ptr<const RoutingTable> routing_;
  RequestIds ids_;
};

}  // namespace akr
