#include <algorithm>

#include <sys/prctl.h>

#include "load_modes.hpp"
#include "load_window.hpp"

namespace akr::bench {
namespace {

constexpr int kOk = 200;
constexpr double kNsPerSecond = 1e9;
constexpr std::int64_t kNsPerUs = 1000;

class Rate final : public Mode {
 public:
  Rate(Engine& engine, const LoadPlan& plan)
      : engine_(engine),
        interval_ns_(kNsPerSecond / plan.rate),
        window_(plan.warmup_seconds, plan.seconds, plan.watched) {
    latencies_ns_.reserve(static_cast<std::size_t>(plan.rate * plan.seconds) + 1);
  }

  std::int64_t on_time(std::int64_t now_ns) override {
    window_.tick(now_ns);
    if (window_.is_over()) return -1;
    if (started_ns_ == 0) started_ns_ = now_ns;
    while (next_due_ns() <= now_ns) {
      waiting_.push_back(next_due_ns());
      ++scheduled_;
    }
    start_waiting();
    const auto change = window_.next_change_ns();
    return change < 0 ? next_due_ns() : std::min(next_due_ns(), change);
  }

  bool finished() const override { return window_.is_over(); }

  void on_response(Connection& connection) override {
    if (window_.is_open()) {
      latencies_ns_.push_back(now_ns() - connection.intended_ns);
      if (connection.reader.status() != kOk) ++errors_;
    }
    if (connection.reader.close_after() && !engine_.reopen(connection)) {
      ++errors_;
      return;
    }
    add_free(connection);
  }

  void on_failure(Connection& connection) override {
    ++errors_;
    if (engine_.reopen(connection)) add_free(connection);
  }

  void add_free(Connection& connection) {
    free_.push_back(&connection);
    start_waiting();
  }

  Window& window() { return window_; }
  bool measured() const { return !latencies_ns_.empty(); }

  void print() {
    std::sort(latencies_ns_.begin(), latencies_ns_.end());
    Report report;
    report.add("mode", "rate");
    report.add("requests", std::uint64_t{latencies_ns_.size()});
    report.add("errors", errors_);
    window_.add_to(report);
    report.add("p50_us", percentile_us(0.50));
    report.add("p90_us", percentile_us(0.90));
    report.add("p99_us", percentile_us(0.99));
    report.add("max_us", percentile_us(1.0));
    report.add("unsent", std::uint64_t{waiting_.size()});
    report.print();
  }

 private:
  std::int64_t next_due_ns() const {
    return started_ns_ + static_cast<std::int64_t>(interval_ns_ * static_cast<double>(scheduled_));
  }

  void start_waiting() {
    while (!waiting_.empty() && !free_.empty()) {
      Connection& connection = *free_.back();  // the most recently used: a warm connection, as a client's pool does
      free_.pop_back();
      connection.intended_ns = waiting_.front();
      waiting_.pop_front();
      engine_.start_request(connection);
    }
  }

  double percentile_us(double part) const {
    if (latencies_ns_.empty()) return 0;
    const auto last = latencies_ns_.size() - 1;
    return static_cast<double>(latencies_ns_[static_cast<std::size_t>(part * static_cast<double>(last))]) / kNsPerUs;
  }

  Engine& engine_;
  const double interval_ns_;
  Window window_;
  std::int64_t started_ns_ = 0;
  std::uint64_t scheduled_ = 0;
  std::deque<std::int64_t> waiting_;  // intended times of requests that found no free connection
  std::vector<Connection*> free_;
  std::vector<std::int64_t> latencies_ns_;
  std::uint64_t errors_ = 0;
};

}  // namespace

int run_rate(Engine& engine, const LoadPlan& plan) {
  // The default slack of 50 us would be part of every latency.
  prctl(PR_SET_TIMERSLACK, 1);
  Rate mode(engine, plan);
  for (std::uint64_t i = 0; i < plan.connections; ++i) {
    Connection* connection = engine.open();
    if (connection == nullptr) die("connect");
    mode.add_free(*connection);
  }
  engine.run(mode);
  mode.window().stop();
  mode.print();
  return mode.measured() ? 0 : 1;
}

}  // namespace akr::bench
