#include "core/keys/pool/limits.hpp"

#include <algorithm>

namespace akr {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr Duration kWindow = seconds(60);

template <class Number>
Number stricter(Number a, Number b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

WallTime WallClock::wall(TimePoint now) const {
  return WallTime(at_zero + std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()));
}

TimePoint WallClock::steady(WallTime wall) const { return TimePoint(Duration(wall.time_since_epoch() - at_zero)); }

TimePoint WallClock::next_day(TimePoint now) const {
  const auto local = wall(now) + utc_offset;
  return steady(WallTime(std::chrono::floor<days>(local) + days(1)) - utc_offset);
}

TimePoint WallClock::next_month(TimePoint now, std::uint32_t reset_day) const {
  const auto today = std::chrono::floor<days>(wall(now) + utc_offset);
  const std::chrono::year_month_day date(today);
  std::chrono::year_month_day reset = date.year() / date.month() / std::chrono::day(std::clamp(reset_day, 1U, 28U));
  if (std::chrono::sys_days(reset) <= today) reset += std::chrono::months(1);
  return steady(WallTime(std::chrono::sys_days(reset)) - utc_offset);
}

void SlidingMinute::set_limit(std::uint64_t limit) {
  if (limit == limit_) return;
  if (limit == 0) {
    *this = SlidingMinute();
    return;
  }
  limit_ = limit;  // what was used stays: a changed limit is no fresh minute
}

// REQUIRES: count_ < kBatches
void SlidingMinute::close_open() {
  if (count_ == capacity_) {
    const auto capacity = static_cast<std::uint8_t>(capacity_ == 0 ? 4 : capacity_ * 2);
    auto ring = std::make_unique<Batch[]>(capacity);
    for (std::uint32_t i = 0; i < count_; ++i) ring[i] = closed(i);
    ring_ = std::move(ring);
    head_ = 0;
    capacity_ = capacity;
  }
  closed(count_++) = open_;
  open_.units = 0;
}

void SlidingMinute::find_oldest() {
  oldest_ends_ = TimePoint::max();
  if (open_.units > 0) oldest_ends_ = open_.last + kWindow;
  if (count_ > 0) oldest_ends_ = closed(0).last + kWindow;
}

void SlidingMinute::expire(TimePoint now) {
  if (now < oldest_ends_) return;
  for (; count_ > 0 && closed(0).last + kWindow <= now; --count_) {
    used_ -= closed(0).units;
    head_ = static_cast<std::uint8_t>(head_ + 1 < capacity_ ? head_ + 1 : 0);
  }
  if (open_.last + kWindow <= now) {
    used_ -= open_.units;
    open_.units = 0;
  }
  find_oldest();
}

bool SlidingMinute::fits(std::uint64_t units, TimePoint now) {
  expire(now);
  return has_room(used_, units);
}

TimePoint SlidingMinute::free_at(std::uint64_t units) const {
  std::uint64_t used = used_;
  for (std::uint32_t i = 0; i < count_; ++i) {
    used -= closed(i).units;
    if (has_room(used, units)) return closed(i).last + kWindow;
  }
  return open_.last + kWindow;
}

void SlidingMinute::add(std::uint64_t units, TimePoint now) {
  expire(now);
  used_ += units;
  if (closes(now) && count_ < std::min(limit_, kBatches)) close_open();
  if (open_.units == 0) opened_at_ = now;
  open_.units += units;
  open_.last = std::max(open_.last, now);
  if (oldest_ends_ == TimePoint::max() || count_ == 0) find_oldest();
}

void SlidingMinute::subtract(std::uint64_t units) {
  const auto take = [&](Batch& batch) {
    const std::uint64_t part = std::min(units, batch.units);
    batch.units -= part;
    used_ -= part;
    units -= part;
  };
  take(open_);
  for (std::uint32_t i = count_; i-- > 0 && units > 0;) take(closed(i));
}

void LimitAccount::set_limits(const KeyLimits& limits, TimePoint now, const WallClock& clock) {
  most_today_ = limits.rpd;
  most_in_flight_ = limits.max_concurrency;
  most_this_month_ = limits.monthly_quota;
  month_resets_ = limits.monthly_reset_day;
  requests_.set_limit(limits.rpm);
  tokens_.set_limit(limits.tpm);
  month_ends_ = std::min(month_ends_, clock.next_month(now, limits.monthly_reset_day));
}

bool LimitAccount::limited(const KeyLimits& limits) {
  return limits.rpm != 0 || limits.tpm != 0 || limits.rpd != 0 || limits.max_concurrency != 0 ||
         limits.monthly_quota != 0;
}

void LimitAccount::turn_pages(TimePoint now, const WallClock& clock) {
  if (now >= day_ends_) {
    used_today_ = 0;
    day_ends_ = clock.next_day(now);
  }
  if (now >= month_ends_) {
    used_this_month_ = 0;
    month_ends_ = clock.next_month(now, month_resets_);
  }
}

std::optional<TimePoint> LimitAccount::blocked_until(TimePoint now, const WallClock& clock) {
  turn_pages(now, clock);
  std::optional<TimePoint> until;
  const auto blocked = [&until](TimePoint at) { until = until ? std::max(*until, at) : at; };
  if (requests_.limited() && !requests_.fits(1, now)) blocked(requests_.free_at());
  if (tokens_.limited() && !tokens_.fits(1, now)) blocked(tokens_.free_at());
  if (most_today_ != 0 && used_today_ >= most_today_) blocked(day_ends_);
  if (most_this_month_ != 0 && used_this_month_ >= most_this_month_) blocked(month_ends_);
  // A time is worth more than "when an attempt ends": it is what Retry-After is made of.
  if (!until && most_in_flight_ != 0 && in_flight_ >= most_in_flight_) return TimePoint::max();
  return until;
}

std::string_view LimitAccount::reached(TimePoint now, const WallClock& clock) {
  turn_pages(now, clock);
  if (most_this_month_ != 0 && used_this_month_ >= most_this_month_) return "monthly_quota";
  if (most_today_ != 0 && used_today_ >= most_today_) return "rpd";
  if (requests_.limited() && !requests_.fits(1, now)) return "rpm";
  if (tokens_.limited() && !tokens_.fits(1, now)) return "tpm";
  if (most_in_flight_ != 0 && in_flight_ >= most_in_flight_) return "max_concurrency";
  return "";
}

void LimitAccount::take(std::uint32_t tokens, TimePoint now, const WallClock& clock) {
  turn_pages(now, clock);
  ++in_flight_;
  ++used_today_;
  ++used_this_month_;
  if (requests_.limited()) requests_.add(1, now);
  if (tokens_.limited() && tokens > 0) tokens_.add(tokens, now);
}

void LimitAccount::correct_tokens(std::uint64_t estimated, std::uint64_t real, TimePoint now) {
  if (!tokens_.limited()) return;
  if (real > estimated) tokens_.add(real - estimated, now);
  if (real < estimated) tokens_.subtract(estimated - real);
}

void LimitAccount::restore(std::uint64_t today, std::uint64_t this_month, TimePoint at, TimePoint now,
                           const WallClock& clock) {
  turn_pages(now, clock);
  if (now < clock.next_day(at)) used_today_ = std::max(used_today_, today);
  if (now < clock.next_month(at, month_resets_)) used_this_month_ = std::max(used_this_month_, this_month);
}

KeyLimits strictest(const KeyLimits& a, const KeyLimits& b) {
  KeyLimits both;
  both.rpm = stricter(a.rpm, b.rpm);
  both.tpm = stricter(a.tpm, b.tpm);
  both.rpd = stricter(a.rpd, b.rpd);
  both.max_concurrency = stricter(a.max_concurrency, b.max_concurrency);
  both.monthly_quota = stricter(a.monthly_quota, b.monthly_quota);
  both.monthly_reset_day = a.monthly_quota != 0 || b.monthly_quota == 0 ? a.monthly_reset_day : b.monthly_reset_day;
  return both;
}

}  // namespace akr
