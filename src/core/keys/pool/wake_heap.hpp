// wake_heap.hpp - which slot has to be looked at next, and when: a binary heap that can move and drop entries.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <utility>

#include "base/clock.hpp"
#include "base/large_vector.hpp"

namespace akr {

inline constexpr std::uint32_t kNowhere = 0xffff'ffff;

class WakeHeap {
 public:
  struct Entry {
    TimePoint at;
    std::uint32_t slot;
  };

  void resize(std::uint32_t slots) {
    entries_.clear();
    entries_.reserve(slots);  // so that a wave of failures allocates nothing under the lock
    place_.assign(slots, kNowhere);
  }
  void grow(std::uint32_t slots) {
    entries_.reserve(slots);
    place_.resize(slots, kNowhere);
  }
  bool empty() const { return entries_.empty(); }
  const Entry& top() const { return entries_.front(); }

  // Adds the slot, or moves it to another time.
  void set(std::uint32_t slot, TimePoint at) {
    std::uint32_t i = place_[slot];
    if (i == kNowhere) {
      i = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({at, slot});
      place_[slot] = i;
    } else {
      entries_[i].at = at;
    }
    sift_down(sift_up(i));
  }

  void drop(std::uint32_t slot) {
    const std::uint32_t i = place_[slot];
    if (i == kNowhere) return;
    place_[slot] = kNowhere;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (i == entries_.size()) return;
    put(i, last);
    sift_down(sift_up(i));
  }

 private:
  void put(std::uint32_t i, const Entry& entry) {
    entries_[i] = entry;
    place_[entry.slot] = i;
  }

  std::uint32_t sift_up(std::uint32_t i) {
    const Entry moved = entries_[i];
    while (i > 0 && moved.at < entries_[(i - 1) / 2].at) {
      put(i, entries_[(i - 1) / 2]);
      i = (i - 1) / 2;
    }
    put(i, moved);
    return i;
  }

  void sift_down(std::uint32_t i) {
    const Entry moved = entries_[i];
    const auto count = static_cast<std::uint32_t>(entries_.size());
    for (std::uint32_t child = 2 * i + 1; child < count; child = 2 * i + 1) {
      if (child + 1 < count && entries_[child + 1].at < entries_[child].at) ++child;
      if (moved.at <= entries_[child].at) break;
      put(i, entries_[child]);
      i = child;
    }
    put(i, moved);
  }

  LargeVector<Entry> entries_;
  LargeVector<std::uint32_t> place_;  // by slot
};

}  // namespace akr
