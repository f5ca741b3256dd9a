// fill_first.hpp - always the first usable key in the operator's order: one key is used up before the next is touched.
#pragma once

#include "core/keys/selection/selection_policy.hpp"
#include "core/keys/selection/slot_set.hpp"

namespace akr {

class FillFirst final : public SelectionPolicy {
 public:
  std::uint32_t pick(std::span<const KeyView> usable, Random&) override {
    return usable_.next(0).value_or(usable.front().slot);
  }
  void resize(std::uint32_t slots) override { usable_.resize(slots); }
  void entered(const KeyView& key) override { usable_.insert(key.slot); }
  void left(const KeyView& key) override { usable_.erase(key.slot); }
  std::unique_ptr<SelectionPolicy> clone() const override { return std::make_unique<FillFirst>(*this); }

 private:
  SlotSet usable_;
};

}  // namespace akr
