#include "core/keys/selection/weighted.hpp"

#include <algorithm>

namespace akr {

std::uint32_t Weighted::pick(std::span<const KeyView> usable, Random&) {
  look_ahead(1);
  if (settled_ == 0) return usable.front().slot;
  const std::uint32_t slot = ahead_[0].slot;
  std::shift_left(ahead_.begin(), ahead_.end(), 1);
  --settled_;
  if (slots_ >= kWorthForesight) {
    look_ahead(kTurnsAhead);
    for (std::uint32_t i = 0; i < kTurnsAhead; ++i) foresight_[i] = ahead_[i].slot;
  }
  return slot;
}

void Weighted::look_ahead(std::uint32_t turns) {
  while (settled_ < turns) {
    Class* next = nullptr;
    for (Class& each : classes_) {
      if (each.usable == 0) continue;
      if (next == nullptr || each.behind_at < next->behind_at) next = &each;
    }
    const auto slot = next == nullptr ? std::nullopt : next->members.next_cyclic(next->cursor);
    if (!slot) return;
    ahead_[settled_++] = {.slot = *slot,
                          .own_class = static_cast<std::uint32_t>(next - classes_.data()),
                          .cursor = next->cursor,
                          .behind_at = next->behind_at,
                          .now = now_};
    next->cursor = *slot + 1;
    now_ = next->behind_at;
    next->behind_at += 1.0 / (static_cast<double>(next->weight) * next->usable);
  }
}

void Weighted::take_back() {
  while (settled_ > 0) {
    const Turn& turn = ahead_[--settled_];
    Class& own = classes_[turn.own_class];
    own.cursor = turn.cursor;
    own.behind_at = turn.behind_at;
    now_ = turn.now;
  }
}

void Weighted::resize(std::uint32_t slots) {
  slots_ = slots;
  classes_.clear();
  settled_ = 0;
  foresight_ = kNoForesight;
  now_ = 0;
}

void Weighted::entered(const KeyView& key) {
  take_back();
  Class& own = class_of(key.weight);
  // A class that was away gets no credit for the time it missed.
  if (own.usable == 0) own.behind_at = std::max(own.behind_at, now_);
  ++own.usable;
  own.members.insert(key.slot);
}

void Weighted::left(const KeyView& key) {
  take_back();
  Class& own = class_of(key.weight);
  --own.usable;
  own.members.erase(key.slot);
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
