// login_throttle.hpp - how often a client may guess: 5 failures in 15 minutes per address, whatever user names it
// tries; so also per address and user.  An admin at another address is not locked out.
//
// Thread-safe.  An attempt takes a place of its address before its body is read, and counts as failed from the moment
// its password is looked at, so that parallel guesses do not slip through; a success takes the address's failures back.
// IPv6 counts by /64.  At most 10,000 addresses are kept, the oldest leave first.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"

namespace akr {

class LoginThrottle;

// One login, from its head on.  Dropping it gives the place back: who never came to guess has not failed.
class LoginAttempt {
 public:
  LoginAttempt() = default;
  LoginAttempt(LoginAttempt&& other) noexcept;
  LoginAttempt& operator=(LoginAttempt&& other) noexcept;
  ~LoginAttempt();

  explicit operator bool() const { return throttle_ != nullptr; }
  // The password is looked at now: a failure unless succeeded() follows.  kTooManyRequests if others of this address
  // failed too often meanwhile.
  Result<void> guess(TimePoint now);
  void succeeded();

 private:
  friend class LoginThrottle;
  LoginAttempt(LoginThrottle& throttle, std::string address, std::uint64_t window)
      : throttle_(&throttle), address_(std::move(address)), window_(window) {}
  void end();

  LoginThrottle* throttle_ = nullptr;  // outlives it
  std::string address_;
  std::uint64_t window_ = 0;
};

class LoginThrottle {
 public:
  static constexpr int kFailures = 5;
  static constexpr int kUnderWay = 64;  // logins of one address at the same time

  // kTooManyRequests with Error::retry_after: too many failures, or too many under way.
  Result<LoginAttempt> begin_attempt(std::string_view client_ip, TimePoint now);

  std::size_t size();  // addresses kept

 private:
  friend class LoginAttempt;
  struct Window {
    std::string address;
    std::uint64_t number = 0;
    TimePoint started;
    int failures = 0;
    int under_way = 0;
  };
  using Windows = std::list<Window>;  // oldest first
  Window* find(const std::string& address) REQUIRES_LOCK(mutex_);
  void forget(const std::string& address) REQUIRES_LOCK(mutex_);
  void forget_expired(TimePoint now) REQUIRES_LOCK(mutex_);

  Mutex mutex_;
  Windows windows_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Windows::iterator> by_address_ GUARDED_BY(mutex_);
  std::uint64_t last_number_ GUARDED_BY(mutex_) = 0;
};

}  // namespace akr
