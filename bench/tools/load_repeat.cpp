#include "load_modes.hpp"
#include "load_window.hpp"

namespace akr::bench {
namespace {

constexpr int kOk = 200;
constexpr double kMiB = 1024.0 * 1024.0;

class Repeat final : public Mode {
 public:
  Repeat(Engine& engine, const LoadPlan& plan)
      : engine_(engine),
        left_(plan.requests),
        limited_(plan.requests != 0),
        window_(limited_ ? 0 : plan.warmup_seconds, limited_ ? 0 : plan.seconds, plan.watched) {}

  std::int64_t on_time(std::int64_t now_ns) override {
    window_.tick(now_ns);
    return window_.next_change_ns();
  }

  bool finished() const override { return window_.is_over() || (limited_ && left_ == 0 && under_way_ == 0); }

  void on_response(Connection& connection) override {
    if (window_.is_open()) {
      ++requests_;
      bytes_ += connection.reader.body_bytes();
      if (connection.reader.status() != kOk) ++errors_;
      last_status_ = connection.reader.status();
    }
    --under_way_;
    if (connection.reader.close_after() && !engine_.reopen(connection)) {
      ++errors_;
      return;
    }
    start(connection);
  }

  void on_failure(Connection& connection) override {
    --under_way_;
    ++errors_;
    if (engine_.reopen(connection)) start(connection);
  }

  void start(Connection& connection) {
    if (limited_ && left_ == 0) return;
    if (limited_) --left_;
    ++under_way_;
    engine_.start_request(connection);
  }

  Window& window() { return window_; }

  void print(std::string_view name) const {
    Report report;
    report.add("mode", name);
    report.add("requests", requests_);
    report.add("errors", errors_);
    report.add("status", static_cast<std::uint64_t>(last_status_));
    window_.add_to(report);
    const double seconds = window_.elapsed_seconds();
    report.add("rps", seconds > 0 ? static_cast<double>(requests_) / seconds : 0.0);
    report.add("mib", static_cast<double>(bytes_) / kMiB);
    if (requests_ != 0)
      report.add("cpu_us_per_request", static_cast<double>(window_.cpu_us()) / static_cast<double>(requests_));
    report.print();
  }

  bool measured() const { return requests_ != 0; }

 private:
  Engine& engine_;
  std::uint64_t left_;
  const bool limited_;
  Window window_;
  std::uint64_t under_way_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t bytes_ = 0;
  int last_status_ = 0;
};

}  // namespace

int run_repeat(Engine& engine, const LoadPlan& plan, std::string_view name) {
  Repeat mode(engine, plan);
  if (plan.requests != 0) mode.window().open_now();
  for (std::uint64_t i = 0; i < plan.connections; ++i) {
    Connection* connection = engine.open();
    if (connection == nullptr) die("connect");
    mode.start(*connection);
  }
  engine.run(mode);
  mode.window().stop();
  mode.print(name);
  return mode.measured() ? 0 : 1;
}

}  // namespace akr::bench
