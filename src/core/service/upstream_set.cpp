#include "core/service/upstream_set.hpp"

#include <algorithm>

namespace akr {
namespace {

bool contains(UpstreamMask mask, std::size_t index) { return (mask >> index & 1) != 0; }

Error refused(std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = "upstreams"};
}

}  // namespace

UpstreamLease& UpstreamLease::operator=(UpstreamLease&& other) noexcept {
  if (this == &other) return *this;
  release();
  set_ = std::exchange(other.set_, nullptr);
  index_ = other.index_;
  trial_ = std::exchange(other.trial_, 0);
  return *this;
}

const UpstreamUrl& UpstreamLease::url() const { return set_->url(index_); }

UpstreamChange UpstreamLease::report(EndpointEffect effect, TimePoint now) {
  if (set_ == nullptr || effect == EndpointEffect::kNone) return UpstreamChange::kNone;
  return set_->report(index_, std::exchange(trial_, 0), effect, now);
}

void UpstreamLease::release() {
  if (trial_ != 0) set_->end_trial(index_, trial_);
  set_ = nullptr;
  trial_ = 0;
}

Result<std::shared_ptr<UpstreamSet>> UpstreamSet::make(std::span<const Upstream> list, UpstreamSet* before,
                                                       const EjectionRule& rule) {
  if (list.size() > kMost) return refused("a service has at most " + std::to_string(kMost) + " upstreams");
  if (std::all_of(list.begin(), list.end(), [](const Upstream& each) { return each.weight == 0; })) {
    return refused("at least one upstream needs a weight over 0");
  }
  std::vector<UpstreamUrl> urls;
  for (const Upstream& each : list) {
    auto url = parse_upstream_url(each.url);
    if (!url) return refused("upstream " + std::to_string(urls.size() + 1) + ": " + url.error().message);
    urls.push_back(*std::move(url));
  }
  std::shared_ptr<UpstreamSet> made(new UpstreamSet(list, std::move(urls), rule));
  if (before != nullptr) made->inherit(*before);
  return made;
}

UpstreamSet::UpstreamSet(std::span<const Upstream> list, std::vector<UpstreamUrl> urls, const EjectionRule& rule)
    : rule_(rule), list_(list.begin(), list.end()), urls_(std::move(urls)), health_(list.size()) {}

void UpstreamSet::inherit(UpstreamSet& before) {
  std::vector<Health> known;
  {
    const MutexLock lock(before.mutex_);
    known = before.health_;
  }
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < list_.size(); ++i) {
    const auto same = std::find_if(before.list_.begin(), before.list_.end(),
                                   [&](const Upstream& each) { return each.url == list_[i].url; });
    if (same == before.list_.end()) continue;
    health_[i] = known[static_cast<std::size_t>(same - before.list_.begin())];
    health_[i].trial = 0;  // its lease reports to the old set
    health_[i].lead = 0;
  }
}

UpstreamLease UpstreamSet::select(UpstreamMask avoid, TimePoint now) {
  const MutexLock lock(mutex_);
  auto index = pick(avoid, now);
  if (!index && avoid != 0) index = pick(0, now);
  if (!index) index = soonest(avoid);
  return {*this, *index, begin_trial(*index, now)};
}

bool UpstreamSet::has_other(UpstreamMask avoid, TimePoint now) {
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < list_.size(); ++i) {
    if (available(i, avoid, now)) return true;
  }
  return false;
}

// Healthy, or half open with nobody on trial.
bool UpstreamSet::available(std::size_t index, UpstreamMask avoid, TimePoint now) const {
  if (list_[index].weight == 0 || contains(avoid, index)) return false;
  const Health& health = health_[index];
  return health.ejections == 0 || (health.until <= now && health.trial == 0);
}

std::optional<std::uint32_t> UpstreamSet::pick(UpstreamMask avoid, TimePoint now) {
  std::optional<std::int32_t> tier;
  for (std::size_t i = 0; i < list_.size(); ++i) {
    if (!available(i, avoid, now)) continue;
    tier = std::min(tier.value_or(list_[i].priority), list_[i].priority);
  }
  if (!tier) return std::nullopt;
  for (std::uint32_t i = 0; i < list_.size(); ++i) {
    if (list_[i].priority == *tier && health_[i].ejections > 0 && available(i, avoid, now)) return i;
  }
  std::optional<std::uint32_t> next;
  std::int64_t total = 0;
  for (std::uint32_t i = 0; i < list_.size(); ++i) {
    if (list_[i].priority != *tier || !available(i, avoid, now)) continue;
    health_[i].lead += list_[i].weight;
    total += list_[i].weight;
    if (!next || health_[i].lead > health_[*next].lead) next = i;
  }
  health_[*next].lead -= total;
  return next;
}

// All are ejected: health alone never refuses a request.
std::uint32_t UpstreamSet::soonest(UpstreamMask avoid) const {
  std::optional<std::uint32_t> best;
  std::pair<bool, TimePoint> best_rank;
  for (std::uint32_t i = 0; i < list_.size(); ++i) {
    const std::pair rank(contains(avoid, i), health_[i].until);
    if (list_[i].weight == 0 || (best && best_rank <= rank)) continue;
    best = i;
    best_rank = rank;
  }
  return *best;
}

// 0: the URL is not half open, or somebody else has the trial.
std::uint32_t UpstreamSet::begin_trial(std::uint32_t index, TimePoint now) {
  Health& health = health_[index];
  if (health.ejections == 0 || health.until > now || health.trial != 0) return 0;
  if (++trials_ == 0) ++trials_;
  return health.trial = trials_;
}

UpstreamChange UpstreamSet::report(std::uint32_t index, std::uint32_t trial, EndpointEffect effect, TimePoint now) {
  const MutexLock lock(mutex_);
  Health& health = health_[index];
  const bool on_trial = trial != 0 && health.trial == trial;
  if (on_trial) health.trial = 0;
  switch (effect) {
    case EndpointEffect::kNone:
      return UpstreamChange::kNone;
    case EndpointEffect::kOk: {
      const bool was_ejected = health.ejections > 0;
      health = Health{.lead = was_ejected ? 0 : health.lead};
      return was_ejected ? UpstreamChange::kReturned : UpstreamChange::kNone;
    }
    case EndpointEffect::kFail:
      return fail(health, on_trial, now);
  }
  return UpstreamChange::kNone;
}

UpstreamChange UpstreamSet::fail(Health& health, bool trial, TimePoint now) {
  if (health.failures < std::numeric_limits<std::uint32_t>::max()) ++health.failures;
  // While it is ejected only its trial says something new: requests that began before, or that had no other choice,
  // must not put its return off.
  const bool ejects = health.ejections == 0 ? health.failures >= rule_.failures : trial;
  if (!ejects) return UpstreamChange::kNone;
  Duration hold = rule_.hold;
  for (std::uint32_t i = 0; i < health.ejections && hold < rule_.longest_hold; ++i) hold *= 2;
  health.until = now + std::min(hold, rule_.longest_hold);
  ++health.ejections;
  return UpstreamChange::kEjected;
}

void UpstreamSet::end_trial(std::uint32_t index, std::uint32_t trial) {
  const MutexLock lock(mutex_);
  if (health_[index].trial == trial) health_[index].trial = 0;
}

const UpstreamUrl& UpstreamSet::steady() {
  const MutexLock lock(mutex_);
  std::optional<std::uint32_t> best;
  for (std::uint32_t i = 0; i < list_.size(); ++i) {
    if (list_[i].weight == 0 || health_[i].ejections > 0) continue;
    if (!best || list_[i].priority < list_[*best].priority) best = i;
  }
  return urls_[best ? *best : soonest(0)];
}

std::vector<UpstreamStatus> UpstreamSet::states(TimePoint now) {
  const MutexLock lock(mutex_);
  std::vector<UpstreamStatus> all;
  for (const Health& health : health_) {
    UpstreamStatus status{.consecutive_failures = health.failures, .until = std::nullopt};
    if (health.ejections > 0) status.state = health.until > now ? UpstreamState::kEjected : UpstreamState::kTrial;
    if (status.state == UpstreamState::kEjected) status.until = health.until;
    all.push_back(status);
  }
  return all;
}

}  // namespace akr
