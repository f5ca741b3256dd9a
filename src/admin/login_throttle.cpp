#include "admin/login_throttle.hpp"

#include "base/ip_address.hpp"

namespace akr {
namespace {

constexpr int kFailures = 5;
constexpr Duration kWindow = std::chrono::minutes(15);
constexpr std::size_t kAddresses = 10'000;

std::string address_key(std::string_view client_ip) {
  const auto address = parse_ip(client_ip);
  if (!address) return std::string(client_ip);
  const IpAddress network = client_network(*address);
  return {reinterpret_cast<const char*>(network.bytes.data()), network.bytes.size()};
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
