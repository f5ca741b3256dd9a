#include "core/keys/selection/round_robin.hpp"

#include <algorithm>

namespace akr {

std::uint32_t RoundRobin::pick(std::span<const KeyView> usable, Random&) {
  look_ahead(1);
  if (settled_ == 0) return usable.front().slot;
  const std::uint32_t slot = ahead_[0];
  cursor_ = slot + 1;
  std::shift_left(ahead_.begin(), ahead_.end(), 1);
  --settled_;
  if (large_) {
    look_ahead(kTurnsAhead);
    foresight_ = ahead_;
  }
  return slot;
}

void RoundRobin::look_ahead(std::uint32_t turns) {
  while (settled_ < turns) {
    const auto next = usable_.next_cyclic(settled_ == 0 ? cursor_ : ahead_[settled_ - 1] + 1);
    if (!next) return;
    ahead_[settled_++] = *next;
  }
}

void RoundRobin::resize(std::uint32_t slots) {
  usable_.resize(slots);
  settled_ = 0;
  large_ = slots >= kWorthForesight;
  foresight_ = kNoForesight;
  if (slots == 0) return;
  if (!started_) cursor_ = Random(seed_).below(slots);
  started_ = true;
}

void RoundRobin::entered(const KeyView& key) {
  usable_.insert(key.slot);
  settled_ = 0;
}

void RoundRobin::left(const KeyView& key) {
  usable_.erase(key.slot);
  const auto first = ahead_.begin();
  settled_ = static_cast<std::uint32_t>(std::find(first, first + settled_, key.slot) - first);
}

}  // namespace akr
