#include "admin/login_throttle.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace akr {
namespace {

constexpr Duration kWindow = std::chrono::minutes(15);
constexpr std::size_t kAddresses = 10'000;

// One customer's IPv6 network is one client; an IPv4 address in IPv6 form is that IPv4 address.
std::string address_key(std::string_view client_ip) {
  std::string text(client_ip);
  std::array<unsigned char, 16> raw;
  if (::inet_pton(AF_INET6, text.c_str(), raw.data()) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(reinterpret_cast<const in6_addr*>(raw.data()))) {
    std::array<char, INET_ADDRSTRLEN> v4;
    return ::inet_ntop(AF_INET, raw.data() + 12, v4.data(), v4.size());
  }
  return std::string(reinterpret_cast<const char*>(raw.data()), 8);
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
