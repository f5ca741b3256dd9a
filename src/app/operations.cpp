#include "app/operations.hpp"

#include <boost/json.hpp>

#include "app/build_name.hpp"
#include "base/json_text.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::string_view kJson = "Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n";

OperationsAnswer json_answer(int status, const boost::json::object& body) {
  return {status, std::string(kJson), json_text(body) + "\n"};
}

std::string_view database_name(DatabaseState state) {
  switch (state) {
    case DatabaseState::kOk:
      return "ok";
    case DatabaseState::kNotWritable:
      return "read_only";
    case DatabaseState::kAway:
      return "away";
    case DatabaseState::kLost:
      return "lost";
  }
  return "lost";
}

void add_pool_gauges(std::vector<Gauge>& out, const RoutedService& service) {
  const PoolCounts counts = service.keys->counts(std::chrono::steady_clock::now());
  const std::pair<const char*, std::size_t> states[] = {{"active", counts.active},
                                                        {"cooling", counts.cooling},
                                                        {"exhausted", counts.exhausted},
                                                        {"invalid", counts.invalid},
                                                        {"disabled", counts.disabled}};
  for (const auto& [state, count] : states) {
    out.push_back({"rotator_keys",
                   "Upstream keys by service and state.",
                   {{"service", service.config.slug}, {"state", state}},
                   static_cast<double>(count)});
  }
  out.push_back({"rotator_keys_in_use",
                 "Attempts that hold a key now.",
                 {{"service", service.config.slug}},
                 static_cast<double>(counts.in_flight)});
}

}  // namespace

Operations::Operations(const Metrics& metrics, std::vector<const WorkerGauges*> workers, OperationsSettings settings,
                       std::function<std::uint64_t()> dropped_log_lines)
    : metrics_(metrics),
      workers_(std::move(workers)),
      settings_(std::move(settings)),
      dropped_(std::move(dropped_log_lines)) {}

void Operations::set_routing(std::shared_ptr<const RoutingTable> table) {
  const MutexLock lock(mutex_);
  routing_ = std::move(table);
}

std::shared_ptr<const RoutingTable> Operations::routing() {
  const MutexLock lock(mutex_);
  return routing_;
}

OperationsAnswer Operations::answer(const net::MessageHead& head) {
  const std::string_view target = head.target();
  const std::string_view path = target.substr(0, target.find('?'));
  const bool known =
      path == "/" || path == "/healthz" || path == "/readyz" || (path == "/metrics" && settings_.metrics);
  if (!known) {
    return json_answer(404, {{"detail", "nothing is served here; services are at /proxy/{slug}/ and /llm/{slug}/"},
                             {"code", "not_found"}});
  }
  if (head.method() != "GET" && head.method() != "HEAD") {
    OperationsAnswer refused =
        json_answer(405, {{"detail", "only GET and HEAD are answered here"}, {"code", "method_not_allowed"}});
    refused.fields += "Allow: GET, HEAD\r\n";
    return refused;
  }
  if (path == "/healthz") return json_answer(200, {{"status", "ok"}});
  if (path == "/readyz") return ready_answer();
  if (path == "/metrics") return metrics_answer(head);
  return json_answer(200, {{"name", "api-key-rotator"},
                           {"version", AKR_VERSION},
                           {"build", build_name()},
                           {"status", draining() ? "draining" : "ok"}});
}

std::string_view Operations::readiness() const {
  if (draining()) return "draining";
  if (!ready_) return "starting";
  if (locked()) return "locked";
  if (database_ == DatabaseState::kLost) return "database_lost";
  return database_ == DatabaseState::kOk ? "ready" : "degraded";
}

OperationsAnswer Operations::ready_answer() {
  const std::string_view status = readiness();
  // Degraded is served: the data plane works from memory, and a disk that fills on every node at once must not take all
  // of them out of service.  Lost is not: nothing this node learns survives it, and only a person can help.
  const bool ready = status == "ready" || status == "degraded";
  const std::string_view database = locked() ? "locked" : database_name(database_);
  boost::json::object body = {{"status", status}, {"database", database}, {"cache", "memory"}};
  boost::json::array empty;
  if (const auto table = routing()) {
    for (const RoutedService& service : table->services()) {
      if (!service.config.active) continue;
      if (service.keys->counts(std::chrono::steady_clock::now()).active == 0) empty.emplace_back(service.config.slug);
    }
  }
  body["services_without_usable_key"] = std::move(empty);
  return json_answer(ready ? 200 : 503, body);
}

OperationsAnswer Operations::metrics_answer(const net::MessageHead& head) {
  if (!settings_.metrics_token.empty()) {
    const std::string_view given = head.find(net::FieldId::kAuthorization);
    const bool bearer = istarts_with(given, "bearer ");
    if (!bearer || !settings_.metrics_token.equals(trim(given.substr(7)))) {
      OperationsAnswer refused =
          json_answer(401, {{"detail", "send METRICS_TOKEN as a bearer token"}, {"code", "unauthorized"}});
      refused.fields += "WWW-Authenticate: Bearer\r\n";
      return refused;
    }
  }
  return {200, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n",
          metrics_.expose(gauges())};
}

std::vector<Gauge> Operations::gauges() {
  std::vector<Gauge> out;
  WorkerGauges sum;
  for (const WorkerGauges* worker : workers_) {
    sum.connections += worker->connections;
    sum.evicted += worker->evicted;
    sum.crowded_out += worker->crowded_out;
    sum.upstream_idle += worker->upstream_idle;
    sum.upstream_busy += worker->upstream_busy;
    sum.upstream_opened += worker->upstream_opened;
    sum.upstream_reused += worker->upstream_reused;
  }
  const auto add = [&out](const char* name, const char* help, std::vector<std::pair<std::string, std::string>> labels,
                          std::uint64_t value) {
    out.push_back({name, help, std::move(labels), static_cast<double>(value)});
  };
  add("rotator_client_connections", "Open client connections.", {}, sum.connections);
  add("rotator_client_connections_evicted", "Silent and idle client connections closed since start to make room.", {},
      sum.evicted);
  add("rotator_client_connections_refused", "Connections and requests refused since start for want of a place.", {},
      sum.crowded_out);
  const char* const upstream = "Upstream connections by state.";
  add("rotator_upstream_connections", upstream, {{"state", "idle"}}, sum.upstream_idle);
  add("rotator_upstream_connections", upstream, {{"state", "busy"}}, sum.upstream_busy);
  add("rotator_upstream_connections_opened", "Upstream connections opened since start.", {}, sum.upstream_opened);
  add("rotator_upstream_connections_reused", "Requests sent on a kept connection since start.", {},
      sum.upstream_reused);
  add("rotator_log_dropped", "Access log lines dropped because their reader was slow.", {}, dropped_());
  add("rotator_database_writable", "1 while the database takes writes.", {}, database_ == DatabaseState::kOk ? 1 : 0);
  if (const auto table = routing()) {
    for (const RoutedService& service : table->services()) add_pool_gauges(out, service);
  }
  return out;
}

}  // namespace akr
