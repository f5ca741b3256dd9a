// node.hpp - one worker with everything that lives on it, in the order it is built and the reverse it is torn down.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "admin/admin_api.hpp"
#include "app/front_door.hpp"
#include "app/operations.hpp"
#include "net/client/connector.hpp"
#include "net/client/upstream_pool.hpp"
#include "net/loop/blocking_pool.hpp"
#include "net/loop/worker.hpp"
#include "net/server/server.hpp"
#include "proxy/gateway.hpp"
#include "telemetry/journal.hpp"
#include "telemetry/metrics.hpp"

namespace akr {

struct NodeSettings {
  net::ServerLimits server;
  net::ConnectorOptions connector;
  net::UpstreamLimits upstream;
  AttemptSettings attempts;
  EnvProxy env_proxy;
  GatewaySettings gateway;
};

// What all nodes share; outlives them.
struct SharedParts {
  const AccessKeys& keys;
  AdminApi& admin;
  Operations& operations;
  AdminThreads threads;
  Metrics& metrics;
  Journal* journal;     // nullptr = no access log
  net::TlsServer* tls;  // nullptr = plain HTTP
};

class Node {
 public:
  Node(int index, const NodeSettings& settings, const SharedParts& shared, WorkerGauges& gauges);
  ~Node();

  // All of these may be called from any thread.
  void start(int listener);  // takes the listening socket over
  void publish(const std::shared_ptr<const RoutingTable>& table);
  void stop_listening();
  void begin_drain();
  void abort_connections();
  void stop();  // joins the thread

 private:
  void run(int listener);
  net::Task<void> tick(JournalPage& page);
  void update_gauges();

  net::Worker worker_;
  const NodeSettings settings_;
  const SharedParts shared_;
  WorkerGauges& gauges_;
  // Made on the worker's thread, used there only.
  Gateway* gateway_ = nullptr;
  net::Server* server_ = nullptr;
  net::UpstreamPool* pool_ = nullptr;
  std::shared_ptr<const RoutingTable> early_table_;  // published before the thread ran
  std::thread thread_;
};

}  // namespace akr
