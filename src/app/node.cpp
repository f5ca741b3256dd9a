#include "app/node.hpp"

#include "base/log.hpp"

namespace akr {
namespace {

constexpr std::chrono::milliseconds kTick{200};

// A handle with a reference count of its own, so that no two workers touch the same counter per request.
std::shared_ptr<const RoutingTable> own_handle(const std::shared_ptr<const RoutingTable>& table) {
  auto holder = std::make_shared<std::shared_ptr<const RoutingTable>>(table);
  const RoutingTable* const raw = table.get();
  return {std::move(holder), raw};
}

}  // namespace

Node::Node(int index, const NodeSettings& settings, const SharedParts& shared, WorkerGauges& gauges)
    : worker_(index), settings_(settings), shared_(shared), gauges_(gauges) {}

Node::~Node() { stop(); }

void Node::start(int listener) {
  thread_ = std::thread([this, listener] { run(listener); });
}

void Node::run(int listener) {
  net::Connector connector(worker_, settings_.connector);
  net::UpstreamPool pool(worker_, connector, settings_.upstream);
  MetricsShard& metrics = shared_.metrics.shard(static_cast<std::size_t>(worker_.index()));
  JournalPage page(shared_.journal);
  AccessLog log(page, metrics);
  Caller caller(worker_, pool, settings_.env_proxy);
  Attempts attempts(caller, settings_.attempts);
  Gateway gateway(worker_, shared_.keys, attempts, log, settings_.gateway);
  FrontDoor door(gateway, log, shared_.admin, shared_.operations, shared_.threads);
  net::Server server(worker_, door, settings_.server, shared_.tls);
  gateway_ = &gateway;
  server_ = &server;
  pool_ = &pool;
  if (early_table_) gateway.set_routing(own_handle(early_table_));
  early_table_.reset();
  // Clients that ask for nothing go first: a kept upstream connection saves somebody a handshake.
  worker_.on_shortage([&] { return server.give_up_connection() || pool.close_one_idle(); });
  server.listen(listener);
  worker_.spawn(tick(page));
  worker_.run();
  worker_.on_shortage({});
  gateway_ = nullptr;
  server_ = nullptr;
  pool_ = nullptr;
}

net::Task<void> Node::tick(JournalPage& page) {
  for (;;) {
    const net::WaitEnd end = co_await net::sleep_until(worker_, worker_.now() + kTick);
    if (end == net::WaitEnd::kCancelled) co_return;
    try {
      page.flush();
      update_gauges();
    } catch (const std::exception& failure) {
      log_failure("tick_failed", failure.what());
    }
  }
}

void Node::update_gauges() {
  const net::PoolGauges pool = pool_->gauges();
  gauges_.connections = server_->connections();
  gauges_.evicted = server_->evicted();
  gauges_.crowded_out = server_->crowded_out();
  gauges_.upstream_idle = pool.idle;
  gauges_.upstream_busy = pool.busy;
  gauges_.upstream_opened = pool.opened;
  gauges_.upstream_reused = pool.reused;
}

void Node::publish(const std::shared_ptr<const RoutingTable>& table) {
  if (!thread_.joinable()) {
    early_table_ = table;
    return;
  }
  // Made here, where no memory is an error that is told and tried again.
  worker_.post([this, own = own_handle(table)] {
    if (gateway_ != nullptr) gateway_->set_routing(own);
  });
}

void Node::stop_listening() {
  worker_.post([this] {
    if (server_ != nullptr) server_->stop_listening();
  });
}

void Node::begin_drain() {
  worker_.post([this] {
    if (server_ != nullptr) server_->begin_drain();
  });
}

void Node::abort_connections() {
  worker_.post([this] {
    if (server_ != nullptr) server_->abort_connections();
  });
}

void Node::stop() {
  if (!thread_.joinable()) return;
  worker_.stop();
  thread_.join();
}

}  // namespace akr
