// limits.hpp - what one key, or one quota group, may still do: requests and tokens per minute, per day, per month, and
// at the same time (D27).  Not thread-safe; time comes in.
//
// Everything is counted when the key is taken: two workers must not both see "one left".
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "core/service/service.hpp"

namespace akr {

// Where the calendar is on our own clock.
struct WallClock {
  std::chrono::milliseconds at_zero{0};  // Unix time at TimePoint{}
  std::chrono::seconds utc_offset{0};

  static WallClock at(TimePoint now, WallTime wall) {
    return {.at_zero = wall.time_since_epoch() - std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch())};
  }
  WallTime wall(TimePoint now) const;
  TimePoint steady(WallTime wall) const;
  TimePoint next_day(TimePoint now) const;                             // midnight in the zone
  TimePoint next_month(TimePoint now, std::uint32_t reset_day) const;  // 00:00 of the next such day
};

// At most `limit` units in any 60 s.  Never lets one more through; may hold one back for up to a second when the limit
// is above 64, because units of the same second are then kept together.  One cache line unless a batch is closed.
class SlidingMinute {
 public:
  void set_limit(std::uint64_t limit);
  bool limited() const { return limit_ != 0; }
  // May `units` more be taken?  More than the whole limit may, alone in its minute.
  bool fits(std::uint64_t units, TimePoint now);
  TimePoint free_at(std::uint64_t units = 1) const;  // when fits(units) becomes true; REQUIRES: it is not
  void add(std::uint64_t units, TimePoint now);
  void subtract(std::uint64_t units);  // an estimate that was too high
  // Has the memory that add() would write now brought in.
  void prefetch(TimePoint now) const {
    if (count_ < capacity_ && closes(now)) __builtin_prefetch(&closed(count_), 1);
  }

 private:
  static constexpr Duration kBatchWidth = std::chrono::seconds(1);
  static constexpr std::uint64_t kBatches = 64;  // 60 s of one-second batches, and what is just running out

  struct Batch {
    TimePoint last;  // of its youngest unit, so that none is dropped early
    std::uint64_t units = 0;
  };
  Batch& closed(std::uint32_t i) const {
    const std::uint32_t at = head_ + i;
    return ring_[at < capacity_ ? at : at - capacity_];
  }
  bool has_room(std::uint64_t used, std::uint64_t units) const {
    return used == 0 || (used < limit_ && units <= limit_ - used);
  }
  // Do units of now no longer belong to the open batch?
  bool closes(TimePoint now) const {
    return open_.units > 0 && (limit_ <= kBatches || now - opened_at_ >= kBatchWidth);
  }
  void expire(TimePoint now);
  void close_open();
  void find_oldest();

  std::uint64_t limit_ = 0;
  std::uint64_t used_ = 0;
  Batch open_;
  TimePoint opened_at_{};
  TimePoint oldest_ends_ = TimePoint::max();
  std::unique_ptr<Batch[]> ring_;  // the closed batches, oldest at head_; grows with use up to 1 KiB
  std::uint8_t head_ = 0;
  std::uint8_t count_ = 0;
  std::uint8_t capacity_ = 0;
};

// The calendar's counters and each minute are a cache line.
class alignas(64) LimitAccount {
 public:
  void set_limits(const KeyLimits& limits, TimePoint now, const WallClock& clock);
  static bool limited(const KeyLimits& limits);

  // nullopt: one more request may start.  Otherwise when; TimePoint::max() = when an attempt ends.
  std::optional<TimePoint> blocked_until(TimePoint now, const WallClock& clock);
  // Which limit holds it back now: "rpm", "tpm", "rpd", "monthly_quota", "max_concurrency"; "" = none.
  std::string_view reached(TimePoint now, const WallClock& clock);
  bool fits_tokens(std::uint64_t tokens, TimePoint now) { return !tokens_.limited() || tokens_.fits(tokens, now); }
  TimePoint tokens_fit_at(std::uint64_t tokens) const { return tokens_.free_at(tokens); }  // REQUIRES: they do not
  bool counts_tokens() const { return tokens_.limited(); }

  void take(std::uint32_t tokens, TimePoint now, const WallClock& clock);
  void give_back() { in_flight_ -= in_flight_ > 0 ? 1 : 0; }
  void keep() { ++in_flight_; }  // takes give_back() back
  void correct_tokens(std::uint64_t estimated, std::uint64_t real, TimePoint now);

  std::uint64_t used_today() const { return used_today_; }
  std::uint64_t used_this_month() const { return used_this_month_; }
  // After a restart: counts of the day and month in which `at` lies, dropped if that is over.
  void restore(std::uint64_t today, std::uint64_t this_month, TimePoint at, TimePoint now, const WallClock& clock);
  // Attempts that were running when the account was made anew.
  void set_in_flight(std::uint32_t in_flight) { in_flight_ = in_flight; }

  // For large pools, where all of this comes from memory: first the account, and when it is there what it points at.
  void prefetch() const {
    const char* const self = reinterpret_cast<const char*>(this);
    for (std::size_t line = 0; line < sizeof(LimitAccount); line += 64) __builtin_prefetch(self + line, 1);
  }
  void prefetch_rings(TimePoint now) const {
    requests_.prefetch(now);
    tokens_.prefetch(now);
  }

 private:
  void turn_pages(TimePoint now, const WallClock& clock);  // a new day or month starts at 0

  std::uint32_t most_today_ = 0;  // the limits that are not in a minute; 0 = none
  std::uint32_t most_in_flight_ = 0;
  std::uint64_t most_this_month_ = 0;
  std::uint32_t month_resets_ = 1;  // day
  std::uint32_t in_flight_ = 0;
  std::uint64_t used_today_ = 0;
  std::uint64_t used_this_month_ = 0;
  TimePoint day_ends_{};
  TimePoint month_ends_{};
  alignas(64) SlidingMinute requests_;
  alignas(64) SlidingMinute tokens_;
};
static_assert(sizeof(LimitAccount) == 192);

// The strictest of both, 0 being none.
KeyLimits strictest(const KeyLimits& a, const KeyLimits& b);

}  // namespace akr
