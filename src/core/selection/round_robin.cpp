#include "core/selection/round_robin.hpp"

namespace akr {

std::uint32_t RoundRobin::pick(std::span<const KeyView> usable, Random&) {
  const std::uint32_t slot = usable_.next_cyclic(cursor_).value_or(usable.front().slot);
  cursor_ = slot + 1;
  return slot;
}

void RoundRobin::resize(std::uint32_t slots) {
  usable_.resize(slots);
  if (slots == 0) return;
  if (!started_) cursor_ = Random(seed_).below(slots);
  started_ = true;
}

}  // namespace akr
