#include "admin/login_throttle.hpp"

#include <array>

#include <arpa/inet.h>

namespace akr {
namespace {

constexpr int kFailures = 5;
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

}  // namespace

Result<void> LoginThrottle::begin_attempt(std::string_view client_ip, TimePoint now) {
  const std::string key = address_key(client_ip);
  MutexLock lock(mutex_);
  forget_expired(now);
  const auto found = by_address_.find(key);
  if (found == by_address_.end()) {
    windows_.push_back({key, now, 1});
    by_address_[key] = std::prev(windows_.end());
    return {};
  }
  Window& window = *found->second;
  if (window.failures < kFailures) {
    ++window.failures;
    return {};
  }
  const auto wait = std::chrono::ceil<std::chrono::seconds>(window.started + kWindow - now);
  return Error{.code = ErrorCode::kTooManyRequests,
               .message = "Too many failed logins from this address; try again later.",
               .retry_after = static_cast<int>(std::max<std::int64_t>(wait.count(), 1))};
}

void LoginThrottle::succeeded(std::string_view client_ip) {
  MutexLock lock(mutex_);
  const auto found = by_address_.find(address_key(client_ip));
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

}  // namespace akr
