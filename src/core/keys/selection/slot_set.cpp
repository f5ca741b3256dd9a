#include "core/keys/selection/slot_set.hpp"

#include <bit>

namespace akr {

void SlotSet::resize(std::uint32_t slots) {
  levels_.clear();
  std::size_t words = slots;
  do {
    words = (words + 63) / 64;
    levels_.emplace_back(words == 0 ? 1 : words, 0);
  } while (words > 1);
}

void SlotSet::insert(std::uint32_t slot) {
  for (auto& level : levels_) {
    std::uint64_t& word = level[slot / 64];
    const bool marked_above = word != 0;
    word |= std::uint64_t{1} << (slot % 64);
    if (marked_above) return;
    slot /= 64;
  }
}

void SlotSet::erase(std::uint32_t slot) {
  for (auto& level : levels_) {
    std::uint64_t& word = level[slot / 64];
    word &= ~(std::uint64_t{1} << (slot % 64));
    if (word != 0) return;
    slot /= 64;
  }
}

std::optional<std::uint32_t> SlotSet::next(std::uint32_t from) const {
  std::uint32_t position = from;
  for (std::size_t depth = 0; depth < levels_.size(); ++depth) {
    const std::uint32_t index = position / 64;
    if (index >= levels_[depth].size()) return std::nullopt;
    const std::uint64_t rest = levels_[depth][index] >> (position % 64);
    if (rest == 0) {
      position = index + 1;  // look to the right of this word, one level up
      continue;
    }
    position += static_cast<std::uint32_t>(std::countr_zero(rest));
    while (depth-- > 0)
      position = position * 64 + static_cast<std::uint32_t>(std::countr_zero(levels_[depth][position]));
    return position;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> SlotSet::next_cyclic(std::uint32_t from) const {
  const auto found = next(from);
  return found || from == 0 ? found : next(0);
}

}  // namespace akr
