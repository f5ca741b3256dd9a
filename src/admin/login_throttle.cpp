#include "admin/login_throttle.hpp"

#include <algorithm>

#include "base/ip_address.hpp"

namespace akr {
namespace {

constexpr Duration kWindow = std::chrono::minutes(15);
constexpr std::size_t kAddresses = 10'000;

std::string address_key(std::string_view client_ip) {
  const auto address = parse_ip(client_ip);
  if (!address) return std::string(client_ip);
  const IpAddress network = client_network(*address);
  return {reinterpret_cast<const char*>(network.bytes.data()), network.bytes.size()};
}

Error too_many_failures(TimePoint until, TimePoint now) {
  const auto wait = std::chrono::ceil<std::chrono::seconds>(until - now);
  return {.code = ErrorCode::kTooManyRequests,
          .message = "Too many failed logins from this address; try again later.",
          .retry_after = static_cast<int>(std::max<std::int64_t>(wait.count(), 1))};
}

}  // namespace

Result<LoginAttempt> LoginThrottle::begin_attempt(std::string_view client_ip, TimePoint now) {
  std::string address = address_key(client_ip);
  MutexLock lock(mutex_);
  forget_expired(now);
  Window* window = find(address);
  if (window == nullptr) {
    windows_.push_back({address, ++last_number_, now});
    by_address_[address] = std::prev(windows_.end());
    window = &windows_.back();
  }
  if (window->failures >= kFailures) return too_many_failures(window->started + kWindow, now);
  if (window->under_way >= kUnderWay) {
    return Error{
        .code = ErrorCode::kTooManyRequests,
        .message = "This address has " + std::to_string(kUnderWay) + " logins under way; try again when they end.",
        .retry_after = 1};
  }
  ++window->under_way;
  return LoginAttempt(*this, std::move(address), window->number);
}

LoginThrottle::Window* LoginThrottle::find(const std::string& address) {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : &*found->second;
}

void LoginThrottle::forget(const std::string& address) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return;
  windows_.erase(found->second);
  by_address_.erase(found);
}

std::size_t LoginThrottle::size() {
  MutexLock lock(mutex_);
  return windows_.size();
}

// Also makes room: with the list full the oldest window goes, expired or not.
void LoginThrottle::forget_expired(TimePoint now) {
  while (!windows_.empty() && (windows_.front().started + kWindow <= now || windows_.size() >= kAddresses)) {
    by_address_.erase(windows_.front().address);
    windows_.pop_front();
  }
}

LoginAttempt::LoginAttempt(LoginAttempt&& other) noexcept
    : throttle_(std::exchange(other.throttle_, nullptr)), address_(std::move(other.address_)), window_(other.window_) {}

LoginAttempt& LoginAttempt::operator=(LoginAttempt&& other) noexcept {
  if (this == &other) return *this;
  end();
  throttle_ = std::exchange(other.throttle_, nullptr);
  address_ = std::move(other.address_);
  window_ = other.window_;
  return *this;
}

LoginAttempt::~LoginAttempt() { end(); }

// A window that was forgotten, or has begun anew, knows nothing of this attempt.
void LoginAttempt::end() {
  LoginThrottle* const throttle = std::exchange(throttle_, nullptr);
  if (throttle == nullptr) return;
  MutexLock lock(throttle->mutex_);
  LoginThrottle::Window* const window = throttle->find(address_);
  if (window == nullptr || window->number != window_) return;
  --window->under_way;
  if (window->under_way == 0 && window->failures == 0) throttle->forget(address_);
}

Result<void> LoginAttempt::guess(TimePoint now) {
  MutexLock lock(throttle_->mutex_);
  LoginThrottle::Window* const window = throttle_->find(address_);
  if (window == nullptr) return {};  // a flood of addresses pushed it out
  if (window->failures >= LoginThrottle::kFailures) return too_many_failures(window->started + kWindow, now);
  ++window->failures;
  return {};
}

void LoginAttempt::succeeded() {
  MutexLock lock(throttle_->mutex_);
  if (LoginThrottle::Window* const window = throttle_->find(address_)) window->failures = 0;
}

}  // namespace akr
