#include "app/app.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <unistd.h>

#include "admin/admin_api.hpp"
#include "admin/publisher.hpp"
#include "app/database_watch.hpp"
#include "app/descriptor_budget.hpp"
#include "app/first_start.hpp"
#include "app/instance_lock.hpp"
#include "app/memory_return.hpp"
#include "app/node.hpp"
#include "app/node_settings.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "cluster/open.hpp"
#include "config/backend_address.hpp"
#include "config/backend_choice.hpp"
#include "jobs/key_pin_writer.hpp"
#include "jobs/key_prober.hpp"
#include "jobs/key_state_writer.hpp"
#include "jobs/outage_alerts.hpp"
#include "jobs/ticker.hpp"
#include "store/call_deadline.hpp"

namespace akr {
namespace {

constexpr std::size_t kBlockingThreads = 2;  // and one for each session with a server, which is mostly waited for
constexpr std::size_t kDiskThreads = 2;
constexpr std::chrono::milliseconds kDrainPoll{20};
constexpr std::chrono::seconds kAbortGrace{1};

}  // namespace

// Members are destroyed in reverse: the nodes first, what they use after them.
struct App::Parts {
  explicit Parts(const Settings& from) : settings(from), at(database_at(from)) {}
  ~Parts() {
    // First, so that nobody waits for a provider any more.
    if (prober) prober->stop();
    // Answers that blocking work owes are delivered before the workers stop.
    if (blocking) blocking->stop();
    if (passwords) passwords->stop();
    if (disk) disk->stop();
    for (auto& node : nodes) node->stop();
    // After the last request, so that what it taught is kept.  A server that is away does not hold up the end.
    const CallDeadline last_writes(std::chrono::steady_clock::now() + settings.db_timeout());
    if (ticker) ticker->stop();
    if (pin_ticker) pin_ticker->stop();
    if (pin_writer && !database->locked()) watch->note_pins(pin_writer->write_now());
    if (key_states && !database->locked()) watch->note_key_states(key_states->write_changes());
  }

  Result<void> open(const StopWithin& stop_within);
  Result<void> lock(const FirstStartInput& input);
  void build();
  Result<void> listen();
  void publish(const std::shared_ptr<const RoutingTable>& table);
  void start_background_work();
  void every_second();

  const Settings& settings;
  const DatabaseAddress at;
  InstanceLock data_lock, database_lock;  // given back last
  FirstStart secrets;
  std::unique_ptr<Database> database;
  std::atomic<bool> announced = false;  // another node changed the store; outlives the cluster, which sets it
  std::unique_ptr<ClusterState> cluster;
  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<net::TlsServer> tls;
  std::unique_ptr<AccessKeys> keys;
  std::unique_ptr<UploadCredentials> uploads;
  std::unique_ptr<PinTable> pins;
  std::vector<std::unique_ptr<WorkerGauges>> gauges;
  std::unique_ptr<Operations> operations;
  std::unique_ptr<DatabaseWatch> watch;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<KeyStateWriter> key_states;
  std::unique_ptr<KeyPinWriter> pin_writer;
  std::unique_ptr<KeyProber> prober;
  std::unique_ptr<OutageAlerts> outage_alerts;
  std::unique_ptr<Ticker> ticker;
  std::unique_ptr<Ticker> pin_ticker;
  std::unique_ptr<AdminApi> admin;
  std::unique_ptr<net::BlockingPool> blocking;
  std::unique_ptr<net::BlockingPool> passwords;
  std::unique_ptr<net::Budget> logins;     // that wait for `passwords`
  std::unique_ptr<net::Budget> strangers;  // memory
  MemoryReturn memory;
  std::unique_ptr<net::BlockingPool>
      disk;  // bodies on their way to a file; apart, so that no upload blocks the admin API
  std::vector<std::unique_ptr<Node>> nodes;
  std::uint16_t port = 0;
};

Result<void> App::Parts::open(const StopWithin& stop_within) {
  const FirstStartInput input = first_start_input(settings);
  if (auto locked = lock(input); !locked) return locked;
  auto made = prepare_first_start(input);
  if (!made) return made.error();
  secrets = *std::move(made);
  tell_first_start(secrets, settings.admin_username());
  set_fingerprint_key(secrets.encryption_key.expose());
  auto opened = open_store(settings, secrets, stop_within);
  if (!opened) return opened.error();
  database = *std::move(opened);
  auto joined = open_cluster_state(ClusterKind::kLocal);
  if (!joined) return joined.error();
  cluster = *std::move(joined);
  if (!settings.tls_cert_file().empty()) {
    auto loaded = net::TlsServer::load(settings.tls_cert_file(), settings.tls_key_file());
    if (!loaded) return loaded.error();
    tls = *std::move(loaded);
  }
  return {};
}

// Before anything is written or read: what another gateway does with it is its own business.
Result<void> App::Parts::lock(const FirstStartInput& input) {
  if (auto ready = prepare_directories(input); !ready) return ready;
  const std::filesystem::path directory = input.data_directory;
  auto data = InstanceLock::take(data_directory_lock(directory), "DATA_DIR", directory);
  if (!data) return data.error();
  data_lock = *std::move(data);
  if (is_server(at.kind)) return {};
  const std::filesystem::path file = at.file;
  auto stored = InstanceLock::take(akr::database_lock(file), "DATABASE_PATH", file);
  if (!stored) return stored.error();
  database_lock = *std::move(stored);
  return {};
}

void App::Parts::build() {
  const std::size_t count = worker_count(settings);
  metrics = std::make_unique<Metrics>(count);
  if (settings.access_log()) journal = std::make_unique<Journal>(STDOUT_FILENO);
  keys = std::make_unique<AccessKeys>(settings.global_proxy_keys());
  uploads = std::make_unique<UploadCredentials>(secrets.encryption_key, *keys, system_clock());
  std::vector<const WorkerGauges*> views;
  for (std::size_t i = 0; i < count; ++i) {
    gauges.push_back(std::make_unique<WorkerGauges>());
    views.push_back(gauges.back().get());
  }
  auto dropped = [this] { return journal ? journal->dropped_lines() : 0; };
  const OperationsSettings operations_settings = {settings.metrics(), settings.metrics_token()};
  operations = std::make_unique<Operations>(*metrics, std::move(views), operations_settings, dropped);
  operations->set_locked(database->locked());
  watch = std::make_unique<DatabaseWatch>(*database, *operations);
  const ValidationPolicy policy = validation_policy(settings);
  auto sink = [this](const std::shared_ptr<const RoutingTable>& table) { publish(table); };
  publisher = std::make_unique<Publisher>(database->config(), *cluster, policy, std::move(sink));
  auto all_pools = [this] { return publisher->pools(); };
  key_states = std::make_unique<KeyStateWriter>(database->key_states(), all_pools, system_clock());
  outage_alerts = std::make_unique<OutageAlerts>(std::move(all_pools));
  pins = std::make_unique<PinTable>(secrets.encryption_key.expose());
  pin_writer = std::make_unique<KeyPinWriter>(database->key_pins(), *pins, system_clock());
  const std::size_t sessions = is_server(at.kind) ? settings.db_pool_size() + 1 : 0;
  const std::size_t reserved = settings.reserved_connections() + 2 * sessions;  // each is watched by another
  const std::size_t allowed = allowed_connections(settings.max_connections(), count, reserved);
  NodeSettings node_settings = make_node_settings(settings, count, allowed);
  node_settings.gateway.pins.table = pins.get();
  node_settings.gateway.uploads = uploads.get();
  node_settings.gateway.is_admin = [this](std::string_view token) { return admin->accepts(token); };
  prober = std::make_unique<KeyProber>(ProberOptions{node_settings.connector, node_settings.env_proxy});
  admin = std::make_unique<AdminApi>(admin_settings(settings, secrets), database->config(), *publisher, system_clock(),
                                     prober.get());
  blocking = std::make_unique<net::BlockingPool>(kBlockingThreads + sessions, net::GivesWay::kYes);
  passwords = std::make_unique<net::BlockingPool>(1, net::GivesWay::kYes);
  logins = std::make_unique<net::Budget>(settings.login_queue());
  strangers = std::make_unique<net::Budget>(settings.unauthenticated_memory().bytes);
  node_settings.server.strangers = strangers.get();
  disk = std::make_unique<net::BlockingPool>(kDiskThreads);
  node_settings.gateway.disk = disk.get();
  const AdminThreads threads = {*blocking, *passwords, *logins, settings.db_timeout()};
  const SharedParts shared = {*keys, *admin, *operations, threads, *metrics, journal.get(), tls.get()};
  for (std::size_t i = 0; i < count; ++i) {
    nodes.push_back(std::make_unique<Node>(static_cast<int>(i), node_settings, shared, *gauges[i]));
  }
}

void App::Parts::publish(const std::shared_ptr<const RoutingTable>& table) {
  operations->set_routing(table);
  prober->publish(table);
  for (auto& node : nodes) node->publish(table);
}

Result<void> App::Parts::listen() {
  port = static_cast<std::uint16_t>(settings.port());
  std::vector<int> listeners;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const net::PortUse use = i == 0 ? net::PortUse::kFirst : net::PortUse::kShared;
    auto fd = net::open_listener(settings.listen_address(), port, use);
    if (!fd) {
      for (int open : listeners) ::close(open);
      return fd.error();
    }
    listeners.push_back(*fd);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i]->start(listeners[i]);
  return {};
}

// Blocking and small, on a thread of its own: neither workers nor admin calls wait for it.
void App::Parts::start_background_work() {
  watch->note_key_states(key_states->restore());
  watch->note_pins(pin_writer->restore());
  prober->start();
  ticker = std::make_unique<Ticker>("every_second", std::chrono::seconds(1), [this] { every_second(); });
  pin_ticker = std::make_unique<Ticker>("pins", kPinPeriod, [this] {
    if (!database->locked()) watch->note_pins(pin_writer->write_changes());
  });
  cluster->on_announce([this] { announced = true; });
}

void App::Parts::every_second() {
  memory.look();
  if (database->locked()) return;
  watch->look();
  // A failure is logged and remembered by the publisher, and tried again here a second later.
  static_cast<void>(announced.exchange(false) ? publisher->refresh() : publisher->retry());
  watch->note_key_states(key_states->write_changes());
  outage_alerts->look(system_clock().now());
}

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
App::~App() = default;
std::uint16_t App::port() const { return parts_->port; }

Result<std::unique_ptr<App>> App::start(const Settings& settings, const StopWithin& stop_within) {
  const auto began = std::chrono::steady_clock::now();
  if (auto usable = check_env_proxies(settings); !usable) return usable.error();
  if (auto built_in = check_built_in(settings); !built_in) return built_in.error();
  auto parts = std::make_unique<Parts>(settings);
  auto opened = parts->open(stop_within);
  if (!opened) return opened.error();
  parts->build();
  const auto published = parts->publisher->refresh();
  if (!published && !parts->database->locked()) return blame_setting(settings, published.error());
  parts->start_background_work();
  auto listening = parts->listen();
  if (!listening) return listening.error();
  parts->operations->set_ready(true);
  if (parts->database->locked()) {
    log_error("locked", {{"message",
                          "ENCRYPTION_KEY is not the one this database was encrypted with; nothing is "
                          "changed, proxying answers 503 until the right key is set"}});
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  log_info("ready", {{"version", AKR_VERSION},
                     {"address", settings.listen_address()},
                     {"port", parts->port},
                     {"tls", parts->tls != nullptr},
                     {"workers", parts->nodes.size()},
                     {"database", is_server(parts->at.kind) ? without_password(parts->at) : parts->at.file},
                     {"start_ms", took.count()}});
  return std::unique_ptr<App>(new App(std::move(parts)));
}

void App::drain(const std::function<bool()>& hurry) {
  Parts& parts = *parts_;
  const auto began = std::chrono::steady_clock::now();
  const auto grace = parts.settings.shutdown_grace();
  const auto delay = std::min(parts.settings.shutdown_delay(), grace);
  const auto wait_until = [&](auto deadline, auto done) {
    while (std::chrono::steady_clock::now() < deadline && !done() && !hurry()) std::this_thread::sleep_for(kDrainPoll);
  };
  parts.operations->set_draining();
  log_info("draining", {{"grace_ms", grace.count()}});
  wait_until(began + delay, [] { return false; });
  for (auto& node : parts.nodes) node->stop_listening();
  for (auto& node : parts.nodes) node->begin_drain();
  // The gauges follow every 200 ms; one more period tells an idle node from one that has not looked yet.
  std::this_thread::sleep_for(hurry() ? kDrainPoll : std::chrono::milliseconds(250));
  const auto idle = [&parts] {
    return std::all_of(parts.gauges.begin(), parts.gauges.end(), [](const auto& g) { return g->connections == 0; });
  };
  wait_until(began + grace, idle);
  if (!idle() && !hurry()) {
    log_warn("drain_cut", {{"message", "requests still ran after SHUTDOWN_GRACE"}});
    for (auto& node : parts.nodes) node->abort_connections();
    wait_until(std::chrono::steady_clock::now() + kAbortGrace, idle);
  }
  log_info("stopped");
}

}  // namespace akr
