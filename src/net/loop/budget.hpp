// budget.hpp - so many of something that may be in use at the same time: bytes held for strangers, logins that wait.
//
// Shared by all threads; whoever takes a share gives it back by dropping it.  Nobody waits for one.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace akr::net {

class Budget {
 public:
  explicit Budget(std::uint64_t limit) : limit_(limit) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  std::uint64_t limit() const { return limit_; }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  friend class BudgetShare;
  bool take(std::uint64_t amount) {
    if (used_.fetch_add(amount, std::memory_order_relaxed) + amount <= limit_) return true;
    give_back(amount);
    return false;
  }
  void give_back(std::uint64_t amount) { used_.fetch_sub(amount, std::memory_order_relaxed); }

  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

// What one user of a budget holds.  The budget outlives it; without one (nullptr) everything is granted.
class BudgetShare {
 public:
  BudgetShare() = default;
  explicit BudgetShare(Budget* budget) : budget_(budget) {}
  BudgetShare(BudgetShare&& other) noexcept : budget_(other.budget_), held_(std::exchange(other.held_, 0)) {}
  BudgetShare& operator=(BudgetShare&& other) noexcept {
    if (this == &other) return *this;
    release();
    budget_ = other.budget_;
    held_ = std::exchange(other.held_, 0);
    return *this;
  }
  ~BudgetShare() { release(); }

  std::uint64_t held() const { return held_; }
  // Makes it at least this large.  False: the budget is spent, and the share is as before.
  [[nodiscard]] bool grow_to(std::uint64_t amount) {
    if (budget_ == nullptr || amount <= held_) return true;
    if (!budget_->take(amount - held_)) return false;
    held_ = amount;
    return true;
  }
  void release() {
    if (held_ > 0) budget_->give_back(std::exchange(held_, 0));
  }

 private:
  Budget* budget_ = nullptr;
  std::uint64_t held_ = 0;
};

}  // namespace akr::net
