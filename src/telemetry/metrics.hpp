// metrics.hpp - counters and histograms, one shard per worker, added up when somebody asks.
//
// A worker writes its own shard with relaxed atomics and takes no lock (but for the first request of a service).  The
// text format is prometheus-cpp's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error_table.hpp"
#include "base/mutex.hpp"
#include "telemetry/request_record.hpp"

namespace akr {

// Counts of durations in buckets; upper bounds in microseconds.
template <std::size_t N>
struct Histogram {
  std::array<std::atomic<std::uint64_t>, N + 1> buckets = {};  // the last one is +Inf
  std::atomic<std::uint64_t> sum_micros{0};

  void observe(const std::array<std::uint64_t, N>& bounds, std::uint64_t micros) {
    std::size_t at = 0;
    while (at < N && micros > bounds[at]) ++at;
    bump(buckets[at], 1);
    bump(sum_micros, micros);
  }
  // One writer per shard: a load and a store are enough and need no locked instruction.
  static void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
};

inline constexpr std::array<std::uint64_t, 12> kDurationBounds = {1'000,      5'000,      10'000,     50'000,
                                                                  100'000,    500'000,    1'000'000,  5'000'000,
                                                                  10'000'000, 30'000'000, 60'000'000, 300'000'000};
inline constexpr std::array<std::uint64_t, 10> kOverheadBounds = {25,  50,    100,   200,    400,
                                                                  800, 1'600, 5'000, 20'000, 100'000};

struct ServiceCounters {
  explicit ServiceCounters(std::string slug) : service(std::move(slug)) {}
  const std::string service;
  std::array<std::atomic<std::uint64_t>, 64> by_status = {};  // see status_slot()
  std::atomic<std::uint64_t> attempts{0};
  std::atomic<std::uint64_t> gateway_errors{0};
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> cut{0};
  Histogram<kDurationBounds.size()> duration;
};

// Index of a status in ServiceCounters::by_status, and the label of an index.
std::size_t status_slot(int status);
std::string_view status_label(std::size_t slot);

class MetricsShard {
 public:
  void record(const RequestRecord& record);

 private:
  friend class Metrics;
  ServiceCounters& counters_of(const RequestRecord& record);
  std::unordered_map<std::int64_t, ServiceCounters*> known_;  // the worker's own
  Mutex mutex_;
  std::vector<std::unique_ptr<ServiceCounters>> all_ GUARDED_BY(mutex_);
  Histogram<kOverheadBounds.size()> overhead_;
  std::array<std::atomic<std::uint64_t>, kErrorCodes> by_error_ = {};  // by row of error_table()
};

// A value that is only known when asked for: pool sizes, key states.
struct Gauge {
  std::string name;
  std::string help;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

class Metrics {
 public:
  explicit Metrics(std::size_t workers);
  MetricsShard& shard(std::size_t worker) { return *shards_[worker]; }
  // The Prometheus text of everything, with `gauges` added.  Any thread.
  std::string expose(const std::vector<Gauge>& gauges) const;

 private:
  std::vector<std::unique_ptr<MetricsShard>> shards_;
};

}  // namespace akr
