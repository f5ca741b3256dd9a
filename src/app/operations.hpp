// operations.hpp - what operators and their machines ask: alive? ready? how much?  Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/secret.hpp"
#include "net/http/http1.hpp"
#include "store/database.hpp"
#include "telemetry/metrics.hpp"
#include "upstream/routing_table.hpp"

namespace akr {

struct OperationsAnswer {
  int status = 200;
  std::string fields;  // whole lines
  std::string body;
};

// One worker's numbers, written by its tick.
struct WorkerGauges {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> evicted{0};
  std::atomic<std::uint64_t> crowded_out{0};
  std::atomic<std::uint64_t> upstream_idle{0};
  std::atomic<std::uint64_t> upstream_busy{0};
  std::atomic<std::uint64_t> upstream_opened{0};
  std::atomic<std::uint64_t> upstream_reused{0};
};

struct OperationsSettings {
  bool metrics = true;
  Secret metrics_token;
};

class Operations {
 public:
  Operations(const Metrics& metrics, std::vector<const WorkerGauges*> workers, OperationsSettings settings,
             std::function<std::uint64_t()> dropped_log_lines);

  void set_routing(std::shared_ptr<const RoutingTable> table);
  void set_ready(bool ready) { ready_ = ready; }
  void set_draining() { draining_ = true; }
  void set_locked(bool locked) { locked_ = locked; }
  DatabaseState exchange_database(DatabaseState state) { return database_.exchange(state); }  // what it was before
  DatabaseState database() const { return database_; }
  bool locked() const { return locked_.load(std::memory_order_relaxed); }
  bool draining() const { return draining_; }

  OperationsAnswer answer(const net::MessageHead& head);

 private:
  OperationsAnswer ready_answer();
  std::string_view readiness() const;
  OperationsAnswer metrics_answer(const net::MessageHead& head);
  std::vector<Gauge> gauges();
  std::shared_ptr<const RoutingTable> routing();

  const Metrics& metrics_;
  const std::vector<const WorkerGauges*> workers_;
  const OperationsSettings settings_;
  const std::function<std::uint64_t()> dropped_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> locked_{false};
  std::atomic<DatabaseState> database_{DatabaseState::kOk};
  Mutex mutex_;
  std::shared_ptr<const RoutingTable> routing_ GUARDED_BY(mutex_);
};

}  // namespace akr
