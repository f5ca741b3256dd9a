#include "core/selection/weighted.hpp"

#include <algorithm>

namespace akr {

std::uint32_t Weighted::pick(std::span<const KeyView> usable, Random&) {
  Class* next = nullptr;
  for (Class& each : classes_) {
    if (each.usable == 0) continue;
    if (next == nullptr || each.behind_at < next->behind_at) next = &each;
  }
  if (next == nullptr) return usable.front().slot;
  const std::uint32_t slot = next->members.next_cyclic(next->cursor).value_or(usable.front().slot);
  next->cursor = slot + 1;
  now_ = next->behind_at;
  next->behind_at += 1.0 / (static_cast<double>(next->weight) * next->usable);
  return slot;
}

void Weighted::resize(std::uint32_t slots) {
  slots_ = slots;
  classes_.clear();
  now_ = 0;
}

void Weighted::entered(const KeyView& key) {
  Class& own = class_of(key.weight);
  // A class that was away gets no credit for the time it missed.
  if (own.usable == 0) own.behind_at = std::max(own.behind_at, now_);
  ++own.usable;
  own.members.insert(key.slot);
}

void Weighted::left(const KeyView& key) {
  Class& own = class_of(key.weight);
  --own.usable;
  own.members.erase(key.slot);
}

Weighted::Memory Weighted::remember() const {
  Memory memory = {now_};
  for (const Class& each : classes_) {
    memory.push_back(static_cast<double>(each.cursor));
    memory.push_back(each.behind_at);
  }
  return memory;
}

void Weighted::restore(const Memory& memory) {
  now_ = memory.front();
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    classes_[i].cursor = static_cast<std::uint32_t>(memory[1 + 2 * i]);
    classes_[i].behind_at = memory[2 + 2 * i];
  }
}

Weighted::Class& Weighted::class_of(std::uint32_t weight) {
  for (Class& each : classes_)
    if (each.weight == weight) return each;
  Class& added = classes_.emplace_back();
  added.weight = weight;
  added.cursor = Random(seed_).below(slots_);
  // Half a step later, so that classes do not all start at once; a little less for each further class, because equal
  // times would be ordered by rounding errors, now this way, now that way.
  added.behind_at = now_ + 0.5 / weight * (1 - static_cast<double>(classes_.size() % 32) / 64);
  added.members.resize(slots_);
  return added;
}

}  // namespace akr
