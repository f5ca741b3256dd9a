#include "core/keys/pool/outage_guard.hpp"

#include <algorithm>

namespace akr {
namespace {
constexpr Duration kWindow = std::chrono::seconds(60);
constexpr std::size_t kFewestKeys = 3;
}  // namespace

bool OutageGuard::counts(const Verdict& verdict) {
  if (verdict.cool_for) return false;
  return verdict.key != KeyAction::kNone && verdict.key != KeyAction::kGood;
}

bool OutageGuard::failed(const Verdict& verdict, Mark& mark, Penalty&& penalty, std::size_t keys, TimePoint now) {
  expire(now);
  // A key counts once, for its latest class.
  if (mark.wave == wave_) --distinct_[static_cast<int>(mark.action)];
  mark = {wave_, now, verdict.key};
  const std::size_t hit = ++distinct_[static_cast<int>(verdict.key)];
  entries_.push_back({now, &mark, verdict.key, std::move(penalty)});
  if (status_.suspected || hit < kFewestKeys || 2 * hit < keys) return false;
  status_ = {.suspected = true, .since = now, .reason = verdict.reason, .episodes = status_.episodes + 1};
  tripped_by_ = verdict.key;
  probe_sent(now);
  return true;
}

std::vector<Penalty> OutageGuard::take_penalties() {
  std::vector<Penalty> taken;
  for (std::size_t i = entries_.size(); i-- > head_;)
    if (entries_[i].action == tripped_by_) taken.push_back(std::move(entries_[i].penalty));
  forget_wave();
  return taken;
}

void OutageGuard::succeeded() {
  status_.suspected = false;
  if (head_ != entries_.size()) forget_wave();
}

void OutageGuard::expire(TimePoint now) {
  for (; head_ < entries_.size() && now - entries_[head_].at > kWindow; ++head_) {
    const Entry& old = entries_[head_];
    if (old.mark->wave != wave_ || old.mark->at != old.at) continue;  // the key failed again since
    --distinct_[static_cast<int>(old.mark->action)];
    old.mark->wave = 0;
  }
  if (head_ < 1024 || 2 * head_ < entries_.size()) return;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
}

void OutageGuard::forget_wave() {
  ++wave_;
  entries_.clear();
  head_ = 0;
  std::fill(std::begin(distinct_), std::end(distinct_), 0);
}

}  // namespace akr
