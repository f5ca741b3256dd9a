// ready_keys.hpp - the usable keys of one priority tier and the policy that chooses among them.
//
// A dense array: joining appends, leaving moves the last one into the gap.  Nothing is ever rebuilt per request.
// Not thread-safe.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "base/large_vector.hpp"
#include "core/keys/selection/selection_policy.hpp"

namespace akr {

class ReadyKeys {
 public:
  ReadyKeys(std::int32_t priority, std::unique_ptr<SelectionPolicy> policy)
      : priority_(priority), policy_(std::move(policy)) {}

  std::int32_t priority() const { return priority_; }
  bool empty() const { return views_.empty(); }
  std::span<const KeyView> views() const { return views_; }
  KeyView& at(std::uint32_t position) { return views_[position]; }
  const KeyView& at(std::uint32_t position) const { return views_[position]; }
  std::uint32_t pick(Random& random) { return policy_->pick(views_, random); }
  const Foresight& foresight() const { return policy_->foresight(); }

  void resize(std::uint32_t slots, std::uint32_t own) {
    views_.clear();
    views_.reserve(own);
    policy_->resize(slots);
  }

  // More slots than before; what is usable stays so.
  void grow(std::uint32_t slots) {
    policy_->resize(slots);
    for (const KeyView& view : views_) policy_->entered(view);
  }

  // Returns the key's position.  `level` keeps a key that was away from being flooded by policies that count turns.
  std::uint32_t join(KeyView view) {
    if (view.turns < level_) view.turns = level_;
    views_.push_back(view);
    policy_->entered(view);
    return static_cast<std::uint32_t>(views_.size() - 1);
  }

  // Returns the key as it was.  The caller notes that the key now at `position` (if any) has moved there.
  KeyView leave(std::uint32_t position) {
    const KeyView view = views_[position];
    policy_->left(view);
    views_[position] = views_.back();
    views_.pop_back();
    return view;
  }

  // The exact opposite of the last leave(), for previews.  The caller notes that the key that was at `position` (if
  // any) is the last one again.
  void undo_leave(std::uint32_t position, const KeyView& view) {
    views_.push_back(view);
    std::swap(views_[position], views_.back());
    policy_->entered(view);
  }
  SelectionPolicy& policy() { return *policy_; }
  std::unique_ptr<SelectionPolicy> copy_policy() const { return policy_->clone(); }
  // A copy of before, when the same keys were usable.
  void put_back(std::unique_ptr<SelectionPolicy> policy) { policy_ = std::move(policy); }

  void taken(std::uint32_t position) {
    KeyView& view = views_[position];
    // The key that was chosen is the measure: under least_used it is (about) the lowest, elsewhere it does not matter.
    level_ = view.turns;
    ++view.turns;
    ++view.in_flight;
  }

 private:
  std::int32_t priority_;
  std::unique_ptr<SelectionPolicy> policy_;
  std::uint64_t level_ = 0;
  LargeVector<KeyView> views_;
};

}  // namespace akr
