#include "load_window.hpp"

#include "process_usage.hpp"
#include "sockets.hpp"

namespace akr::bench {
namespace {

constexpr double kNsPerSecond = 1e9;

}  // namespace

Window::Window(double warmup_seconds, double seconds, std::vector<int> watched)
    : warmup_ns_(static_cast<std::int64_t>(warmup_seconds * kNsPerSecond)),
      length_ns_(static_cast<std::int64_t>(seconds * kNsPerSecond)),
      watched_(std::move(watched)) {}

void Window::tick(std::int64_t now_ns) {
  if (open_at_ns_ == 0) open_at_ns_ = now_ns + warmup_ns_;
  if (opened_ns_ == 0 && now_ns >= open_at_ns_) open_now();
  if (is_open() && length_ns_ > 0 && now_ns >= opened_ns_ + length_ns_) stop();
}

void Window::open_now() {
  cpu_us_ = -cpu_microseconds(watched_);
  opened_ns_ = now_ns();
}

void Window::stop() {
  if (!is_open()) return;
  closed_ns_ = now_ns();
  cpu_us_ += cpu_microseconds(watched_);
}

std::int64_t Window::next_change_ns() const {
  if (opened_ns_ == 0) return open_at_ns_;
  return length_ns_ > 0 ? opened_ns_ + length_ns_ : -1;
}

double Window::elapsed_seconds() const {
  return is_over() ? static_cast<double>(closed_ns_ - opened_ns_) / kNsPerSecond : 0;
}

void Window::add_to(Report& report) const {
  report.add("seconds", elapsed_seconds());
  if (!watched_.empty()) report.add("cpu_us", static_cast<std::uint64_t>(cpu_us_));
}

}  // namespace akr::bench
