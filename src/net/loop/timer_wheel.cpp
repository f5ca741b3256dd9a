#include "net/loop/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <exception>
#include <limits>

#include "base/log.hpp"

namespace akr::net {

void TimerNode::unlink() {
  if (next_ == nullptr) return;
  prev_->next_ = next_;
  next_->prev_ = prev_;
  prev_ = next_ = nullptr;
}

TimerWheel::TimerWheel(TimePoint now) : current_tick_(now.time_since_epoch() / kTick) {
  for (Head& head : slots_) head.prev_ = head.next_ = &head;
}

void TimerWheel::arm(TimerNode& node, TimePoint deadline) {
  node.unlink();
  node.deadline_ = deadline;
  link(node);
}

void TimerWheel::link(TimerNode& node) {
  // Rounded up, so that a deadline never fires early; not before the next tick, so that it fires at all.
  const std::int64_t due = tick_of(node.deadline_) + 1;
  const std::int64_t tick = std::clamp(due, current_tick_ + 1, current_tick_ + static_cast<std::int64_t>(kSlots) - 1);
  const auto slot = static_cast<std::size_t>(tick) % kSlots;
  TimerNode& head = slots_[slot];
  node.prev_ = head.prev_;
  node.next_ = &head;
  head.prev_->next_ = &node;
  head.prev_ = &node;
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void TimerWheel::advance(TimePoint now) {
  const std::int64_t target = tick_of(now);
  if (target - current_tick_ >= static_cast<std::int64_t>(kSlots)) {
    current_tick_ = target - static_cast<std::int64_t>(kSlots) + 1;  // a long stop (SIGSTOP): one turn is enough
    for (std::size_t slot = 0; slot < kSlots; ++slot) fire_slot(slot, now, std::numeric_limits<int>::max());
  }
  while (current_tick_ < target) {
    ++current_tick_;
    const auto slot = static_cast<std::size_t>(current_tick_) % kSlots;
    if ((occupied_[slot / 64] >> (slot % 64) & 1) == 0 || fire_slot(slot, now, kMostAtOnce)) continue;
    --current_tick_;
    return;
  }
}

// What fires may arm or cancel others, so a slot's list is moved aside and taken apart from its front.
void TimerWheel::take_slot(std::size_t slot, Head& due) {
  occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  Head& head = slots_[slot];
  due.prev_ = due.next_ = &due;
  if (head.next_ == &head) return;
  due.next_ = head.next_;
  due.prev_ = head.prev_;
  due.next_->prev_ = &due;
  due.prev_->next_ = &due;
  head.prev_ = head.next_ = &head;
}

void TimerWheel::put_back(std::size_t slot, Head& due) {
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  Head& head = slots_[slot];
  due.prev_->next_ = head.next_;
  head.next_->prev_ = due.prev_;
  due.next_->prev_ = &head;
  head.next_ = due.next_;
  due.prev_ = due.next_ = nullptr;
}

bool TimerWheel::fire_slot(std::size_t slot, TimePoint now, int most) {
  Head due;
  take_slot(slot, due);
  for (int fired = 0; due.next_ != &due; ++fired) {
    if (fired == most) {
      put_back(slot, due);
      return false;
    }
    TimerNode& node = *due.next_;
    node.unlink();
    if (node.deadline_ <= now) {
      try {
        node.on_deadline();
      } catch (const std::exception& failure) {
        log_failure("timer_failed", failure.what());  // the others of this slot are linked to our frame
      }
    } else {
      link(node);
    }
  }
  return true;
}

bool TimerWheel::stop_all() {
  bool any = false;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    Head due;
    take_slot(slot, due);
    while (due.next_ != &due) {
      TimerNode& node = *due.next_;
      node.unlink();
      node.on_stop();
      any = true;
    }
  }
  return any;
}

TimePoint TimerWheel::next_due() {
  const std::size_t first = static_cast<std::size_t>(current_tick_ + 1) % kSlots;
  for (std::size_t step = 0; step <= kSlots / 64; ++step) {
    const std::size_t word = (first / 64 + step) % (kSlots / 64);
    std::uint64_t bits = occupied_[word];
    if (step == 0) bits &= ~std::uint64_t{0} << (first % 64);
    if (step == kSlots / 64) bits &= (std::uint64_t{1} << (first % 64)) - 1;
    for (; bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(bits));
      const std::size_t slot = word * 64 + bit;
      const auto ahead = static_cast<std::int64_t>((slot + kSlots - first) % kSlots);
      if (slots_[slot].next_ != &slots_[slot]) return TimePoint(kTick * (current_tick_ + 1 + ahead));
      // All that was armed here was cancelled: nobody shall wake up for it.
      occupied_[word] &= ~(std::uint64_t{1} << bit);
    }
  }
  return TimePoint::max();
}

}  // namespace akr::net
