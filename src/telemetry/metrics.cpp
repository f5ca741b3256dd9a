#include "telemetry/metrics.hpp"

#include <map>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace akr {
namespace {

// Statuses with a row of their own; the rest share one per class.
constexpr std::array<int, 48> kStatuses = {101, 200, 201, 202, 203, 204, 205, 206, 207, 301, 302, 303,
                                           304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409,
                                           410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 425, 428,
                                           429, 431, 432, 433, 451, 499, 500, 501, 502, 503, 504, 529};
constexpr std::array<std::string_view, 6> kClasses = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};

constexpr std::array<std::uint8_t, 600> make_slots() {
  std::array<std::uint8_t, 600> slots = {};
  for (std::size_t status = 0; status < 600; ++status)
    slots[status] = static_cast<std::uint8_t>(kStatuses.size() + status / 100);
  for (std::size_t i = 0; i < kStatuses.size(); ++i)
    slots[static_cast<std::size_t>(kStatuses[i])] = static_cast<std::uint8_t>(i);
  return slots;
}
constexpr auto kSlots = make_slots();

void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by) { Histogram<1>::bump(counter, by); }

using Labels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricFamily family(std::string name, std::string help, prometheus::MetricType type) {
  prometheus::MetricFamily made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}

void add_counter(prometheus::MetricFamily& to, Labels labels, std::uint64_t value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  to.metric.push_back(std::move(metric));
}

template <std::size_t N>
struct Sum {
  std::array<std::uint64_t, N + 1> buckets = {};
  std::uint64_t micros = 0;
  void add(const Histogram<N>& histogram) {
    for (std::size_t i = 0; i <= N; ++i) buckets[i] += histogram.buckets[i].load(std::memory_order_relaxed);
    micros += histogram.sum_micros.load(std::memory_order_relaxed);
  }
};

template <std::size_t N>
void add_histogram(prometheus::MetricFamily& to, Labels labels, const Sum<N>& sum,
                   const std::array<std::uint64_t, N>& bounds) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= N; ++i) {
    count += sum.buckets[i];
    const double bound = i < N ? static_cast<double>(bounds[i]) / 1e6 : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({count, bound});
  }
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = static_cast<double>(sum.micros) / 1e6;
  to.metric.push_back(std::move(metric));
}

// One service, all shards.
struct ServiceSum {
  std::array<std::uint64_t, 64> by_status = {};
  std::uint64_t attempts = 0, gateway_errors = 0, bytes_in = 0, bytes_out = 0, cut = 0;
  Sum<kDurationBounds.size()> duration;
  void add(const ServiceCounters& from) {
    for (std::size_t i = 0; i < by_status.size(); ++i)
      by_status[i] += from.by_status[i].load(std::memory_order_relaxed);
    attempts += from.attempts.load(std::memory_order_relaxed);
    gateway_errors += from.gateway_errors.load(std::memory_order_relaxed);
    bytes_in += from.bytes_in.load(std::memory_order_relaxed);
    bytes_out += from.bytes_out.load(std::memory_order_relaxed);
    cut += from.cut.load(std::memory_order_relaxed);
    duration.add(from.duration);
  }
};

void add_services(std::vector<prometheus::MetricFamily>& out, const std::map<std::string, ServiceSum>& services) {
  using prometheus::MetricType;
  auto requests = family("rotator_requests_total", "Finished requests by service and status.", MetricType::Counter);
  auto attempts = family("rotator_upstream_attempts_total", "Attempts against upstreams.", MetricType::Counter);
  auto errors = family("rotator_gateway_errors_total", "Answers that the gateway made itself.", MetricType::Counter);
  auto cut = family("rotator_cut_answers_total", "Answers that did not end as they should.", MetricType::Counter);
  auto bytes_in = family("rotator_request_body_bytes_total", "Bytes of request bodies.", MetricType::Counter);
  auto bytes_out = family("rotator_answer_body_bytes_total", "Bytes of answer bodies.", MetricType::Counter);
  auto duration = family("rotator_request_duration_seconds", "From the head of the request to the end of its answer.",
                         MetricType::Histogram);
  for (const auto& [name, sum] : services) {
    const Labels service = {{"service", name}};
    for (std::size_t slot = 0; slot < kStatuses.size() + kClasses.size(); ++slot) {
      if (sum.by_status[slot] == 0) continue;
      add_counter(requests, {{"service", name}, {"status", std::string(status_label(slot))}}, sum.by_status[slot]);
    }
    add_counter(attempts, service, sum.attempts);
    add_counter(errors, service, sum.gateway_errors);
    add_counter(cut, service, sum.cut);
    add_counter(bytes_in, service, sum.bytes_in);
    add_counter(bytes_out, service, sum.bytes_out);
    add_histogram(duration, service, sum.duration, kDurationBounds);
  }
  for (auto* made : {&requests, &attempts, &errors, &cut, &bytes_in, &bytes_out, &duration})
    out.push_back(std::move(*made));
}

prometheus::MetricFamily errors_family(const std::array<std::uint64_t, kErrorCodes>& errors) {
  auto made = family("rotator_errors_total", "Errors that the gateway told, by code.", prometheus::MetricType::Counter);
  for (std::size_t row = 0; row < kErrorCodes; ++row)
    if (errors[row] > 0) add_counter(made, {{"code", std::string(error_table()[row].name)}}, errors[row]);
  return made;
}

void add_gauges(std::vector<prometheus::MetricFamily>& out, const std::vector<Gauge>& gauges) {
  std::map<std::string, prometheus::MetricFamily> families;
  for (const Gauge& gauge : gauges) {
    auto& to =
        families.try_emplace(gauge.name, family(gauge.name, gauge.help, prometheus::MetricType::Gauge)).first->second;
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : gauge.labels) metric.label.push_back({name, value});
    metric.gauge.value = gauge.value;
    to.metric.push_back(std::move(metric));
  }
  for (auto& [name, made] : families) out.push_back(std::move(made));
}

}  // namespace

std::size_t status_slot(int status) {
  return status >= 0 && status < 600 ? kSlots[static_cast<std::size_t>(status)] : kStatuses.size();
}

std::string_view status_label(std::size_t slot) {
  static const auto kLabels = [] {
    std::array<std::string, kStatuses.size()> made;
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = std::to_string(kStatuses[i]);
    return made;
  }();
  return slot < kStatuses.size() ? std::string_view(kLabels[slot]) : kClasses.at(slot - kStatuses.size());
}

ServiceCounters& MetricsShard::counters_of(const RequestRecord& record) {
  auto& known = known_[record.service_id];
  if (known == nullptr) {
    auto made = std::make_unique<ServiceCounters>(std::string(record.service));
    known = made.get();
    const MutexLock lock(mutex_);
    all_.push_back(std::move(made));
  }
  return *known;
}

void MetricsShard::record(const RequestRecord& record) {
  ServiceCounters& to = counters_of(record);
  const auto micros = [](Duration d) { return static_cast<std::uint64_t>(d.count() > 0 ? d.count() / 1000 : 0); };
  bump(to.by_status[status_slot(record.status)], 1);
  bump(to.attempts, static_cast<std::uint64_t>(record.attempts));
  if (record.source == AnswerSource::kGateway) bump(to.gateway_errors, 1);
  if (!record.error.empty()) bump(by_error_[row_named(record.error)], 1);
  if (record.cut) bump(to.cut, 1);
  bump(to.bytes_in, record.bytes_in);
  bump(to.bytes_out, record.bytes_out);
  to.duration.observe(kDurationBounds, micros(record.total));
  if (record.attempts > 0) overhead_.observe(kOverheadBounds, micros(record.overhead));
}

Metrics::Metrics(std::size_t workers) {
  for (std::size_t i = 0; i < workers; ++i) shards_.push_back(std::make_unique<MetricsShard>());
}

std::string Metrics::expose(const std::vector<Gauge>& gauges) const {
  std::map<std::string, ServiceSum> services;
  Sum<kOverheadBounds.size()> overhead;
  for (const auto& shard : shards_) {
    const MutexLock lock(shard->mutex_);
    for (const auto& counters : shard->all_) services[counters->service].add(*counters);
    overhead.add(shard->overhead_);
  }
  std::array<std::uint64_t, kErrorCodes> errors = {};
  for (const auto& shard : shards_) {
    for (std::size_t row = 0; row < kErrorCodes; ++row)
      errors[row] += shard->by_error_[row].load(std::memory_order_relaxed);
  }
  std::vector<prometheus::MetricFamily> families;
  families.push_back(errors_family(errors));
  add_services(families, services);
  auto added = family("rotator_added_latency_seconds", "Time the gateway itself added until the head of the answer.",
                      prometheus::MetricType::Histogram);
  add_histogram(added, {}, overhead, kOverheadBounds);
  families.push_back(std::move(added));
  add_gauges(families, gauges);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace akr
