#include <algorithm>

#include "load_modes.hpp"
#include "load_window.hpp"

namespace akr::bench {
namespace {

constexpr int kOk = 200;

enum class Held { kIdle, kStream };

class Hold final : public Mode {
 public:
  Hold(Engine& engine, const LoadPlan& plan, Held held)
      : engine_(engine),
        held_(held),
        connections_(plan.connections),
        inflight_(plan.inflight),
        warmup_seconds_(plan.warmup_seconds),
        window_(0, plan.seconds, plan.watched) {}

  std::int64_t on_time(std::int64_t now_ns) override {
    while (opened_ + refused_ < connections_ && opening_ < inflight_) open_next();
    if (ready_at_ns_ == 0 && opening_ == 0) say_ready(now_ns);
    if (ready_at_ns_ == 0) return -1;
    const auto settled = ready_at_ns_ + static_cast<std::int64_t>(warmup_seconds_ * 1e9);
    if (now_ns < settled) return settled;
    const bool was_open = window_.is_open();
    window_.tick(now_ns);
    if (!was_open && window_.is_open()) begin_window();
    if (was_open && window_.is_over()) end_ = totals();
    return window_.next_change_ns();
  }

  bool finished() const override { return window_.is_over(); }

  void on_progress(Connection& connection) override {
    if (held_ == Held::kStream && connection.reader.events() != 0) count_opened(connection);
  }

  void on_response(Connection& connection) override {
    if (held_ == Held::kIdle && !connection.reader.close_after()) return count_opened(connection);
    on_failure(connection);  // a stream must not end, and a held connection must stay open
    connection.fd.reset();
  }

  void on_failure(Connection& connection) override {
    ++died_;
    if (connection.intended_ns == 0) --opening_;
    connection.intended_ns = 1;
  }

  // A run stopped by a signal has its window closed here.
  void finish() {
    if (!window_.is_open()) return;
    window_.stop();
    end_ = totals();
  }

  void print(std::string_view name) {
    Report report;
    report.add("mode", name);
    report.add("opened", opened_);
    report.add("refused", refused_);
    report.add("died", died_);
    report.add("bad_status", bad_status_);
    window_.add_to(report);
    if (held_ == Held::kStream) {
      const auto events = end_.events - start_.events;
      report.add("chunks", end_.chunks - start_.chunks);
      report.add("events", events);
      const double seconds = window_.elapsed_seconds();
      report.add("events_per_second", seconds > 0 ? static_cast<double>(events) / seconds : 0.0);
      if (events != 0)
        report.add("cpu_us_per_event", static_cast<double>(window_.cpu_us()) / static_cast<double>(events));
      add_delays(report);
    }
    report.print();
  }

  bool measured() const { return opened_ != 0; }

 private:
  struct Totals {
    std::uint64_t chunks = 0;
    std::uint64_t events = 0;
  };

  void open_next() {
    Connection* connection = engine_.open();
    if (connection == nullptr) {
      ++refused_;
      return;
    }
    ++opened_;
    ++opening_;
    reset_on_close(connection->fd);
    if (held_ == Held::kStream) connection->reader.tell_delays(&delays_ns_);
    engine_.start_request(*connection);
  }

  void begin_window() {
    start_ = totals();
    delays_ns_.clear();
  }

  void add_delays(Report& report) {
    if (delays_ns_.empty()) return;
    std::sort(delays_ns_.begin(), delays_ns_.end());
    report.add("event_p50_us", static_cast<double>(delays_ns_[delays_ns_.size() / 2]) / 1e3);
    report.add("event_p99_us", static_cast<double>(delays_ns_[delays_ns_.size() * 99 / 100]) / 1e3);
  }

  // `intended_ns` doubles as the mark "no longer opening": this mode measures no latencies.
  void count_opened(Connection& connection) {
    if (connection.intended_ns != 0) return;
    connection.intended_ns = 1;
    --opening_;
    if (connection.reader.status() != kOk) ++bad_status_;
  }

  void say_ready(std::int64_t now_ns) {
    ready_at_ns_ = now_ns;
    Report report;
    report.add("state", "ready");
    report.add("opened", opened_);
    report.add("died", died_);
    report.print();
  }

  Totals totals() {
    Totals totals;
    for (const auto& connection : engine_.connections()) {
      totals.chunks += connection.reader.chunks();
      totals.events += connection.reader.events();
    }
    return totals;
  }

  Engine& engine_;
  const Held held_;
  const std::uint64_t connections_;
  const std::uint64_t inflight_;
  const double warmup_seconds_;
  Window window_;
  std::int64_t ready_at_ns_ = 0;
  std::uint64_t opened_ = 0;
  std::uint64_t opening_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t died_ = 0;
  std::uint64_t bad_status_ = 0;
  Totals start_;
  Totals end_;
  std::vector<std::int64_t> delays_ns_;  // of the events since the window opened
};

int hold(Engine& engine, const LoadPlan& plan, Held held, std::string_view name) {
  Hold mode(engine, plan, held);
  engine.run(mode);
  mode.finish();
  mode.print(name);
  return mode.measured() ? 0 : 1;
}

}  // namespace

int run_idle(Engine& engine, const LoadPlan& plan) { return hold(engine, plan, Held::kIdle, "idle"); }

int run_sse(Engine& engine, const LoadPlan& plan) { return hold(engine, plan, Held::kStream, "sse"); }

}  // namespace akr::bench
