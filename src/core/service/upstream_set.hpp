// upstream_set.hpp - the URLs of a service that has several, with their health: which one an attempt goes to.
//
// A URL that fails 5 times in a row (EndpointEffect::kFail: no connection, no answer in time, a 5xx - behaviour.md
// section 2) is ejected: skipped for 30 s, doubled with each ejection in a row up to 300 s.  Then it is half open: one
// request tries it, the others still go elsewhere.  A good answer brings it back at once, a failure ejects it again.
//
// Thread-safe: one short lock, no allocation in select() and report().  The list is constant; an edited list makes a
// new set, which takes over the health of the URLs that stay, so that requests of the old table keep their indices.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "core/outcome/verdict.hpp"
#include "core/service/service.hpp"
#include "core/service/url.hpp"

namespace akr {

class UpstreamSet;

struct EjectionRule {
  std::uint32_t failures = 5;  // in a row
  Duration hold = std::chrono::seconds(30);
  Duration longest_hold = std::chrono::seconds(300);
};

// URLs by index: those on which a request has failed.
using UpstreamMask = std::uint64_t;

enum class UpstreamChange : std::uint8_t { kNone, kEjected, kReturned };

// One URL taken for one attempt.  Forgetting is impossible: a trial that comes to no verdict gives its turn to the next
// request.  Movable; one thread at a time; must not outlive its set.
class UpstreamLease {
 public:
  UpstreamLease() = default;
  UpstreamLease(UpstreamLease&& other) noexcept
      : set_(std::exchange(other.set_, nullptr)), index_(other.index_), trial_(std::exchange(other.trial_, 0)) {}
  UpstreamLease& operator=(UpstreamLease&& other) noexcept;
  ~UpstreamLease() { release(); }

  explicit operator bool() const { return set_ != nullptr; }
  std::uint32_t index() const { return index_; }
  bool trial() const { return trial_ != 0; }  // the one request that tries a half-open URL
  const UpstreamUrl& url() const;
  // The endpoint's part of a verdict; may be called again (the head was good, then the stream broke).  What it changed,
  // for the log.
  UpstreamChange report(EndpointEffect effect, TimePoint now);

 private:
  friend class UpstreamSet;
  UpstreamLease(UpstreamSet& set, std::uint32_t index, std::uint32_t trial)
      : set_(&set), index_(index), trial_(trial) {}
  void release();
  UpstreamSet* set_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t trial_ = 0;  // number of the trial; 0 = none
};

enum class UpstreamState : std::uint8_t {
  kHealthy,
  kEjected,
  kTrial,  // half open: waiting for, or in, its one request
};

struct UpstreamStatus {
  UpstreamState state = UpstreamState::kHealthy;
  std::uint32_t consecutive_failures = 0;
  std::optional<TimePoint> until;  // kEjected: when it is half open
};

class UpstreamSet {
 public:
  static constexpr std::size_t kMost = std::numeric_limits<UpstreamMask>::digits;

  // Takes over the health of the URLs that `before` (may be null) has too, by their text.
  // kInvalid (field "upstreams"): a URL that does not parse, more than kMost, or none with a weight.
  static Result<std::shared_ptr<UpstreamSet>> make(std::span<const Upstream> list, UpstreamSet* before = nullptr,
                                                   const EjectionRule& rule = {});

  std::span<const Upstream> list() const { return list_; }
  const UpstreamUrl& url(std::uint32_t index) const { return urls_[index]; }

  // In this order: the lowest tier with a URL that is healthy or waits for its trial, without those in `avoid`; then
  // the same in spite of `avoid`; then, everything being ejected, the one that is back soonest - never nobody. Inside a
  // tier a trial goes first, the others take turns by weight (smooth: 3:1 gives A A B A).
  UpstreamLease select(UpstreamMask avoid, TimePoint now);
  // Would select() find one outside of `avoid` that is not ejected?
  bool has_other(UpstreamMask avoid, TimePoint now);

  // For a call that takes no turn and does not count, as a probe of a key: a healthy one of the lowest tier, or else
  // the one that is back soonest.
  const UpstreamUrl& steady();

  std::vector<UpstreamStatus> states(TimePoint now);

 private:
  friend class UpstreamLease;
  struct Health {
    std::uint32_t failures = 0;   // in a row
    std::uint32_t ejections = 0;  // in a row; 0 = healthy
    std::uint32_t trial = 0;      // number of the trial that runs; 0 = none
    TimePoint until{};            // ejected: half open from then on
    std::int64_t lead = 0;        // smooth weighted round robin: who is owed the next turn
  };

  UpstreamSet(std::span<const Upstream> list, std::vector<UpstreamUrl> urls, const EjectionRule& rule);
  void inherit(UpstreamSet& before);
  bool available(std::size_t index, UpstreamMask avoid, TimePoint now) const REQUIRES_LOCK(mutex_);
  std::optional<std::uint32_t> pick(UpstreamMask avoid, TimePoint now) REQUIRES_LOCK(mutex_);
  std::uint32_t soonest(UpstreamMask avoid) const REQUIRES_LOCK(mutex_);
  std::uint32_t begin_trial(std::uint32_t index, TimePoint now) REQUIRES_LOCK(mutex_);
  UpstreamChange report(std::uint32_t index, std::uint32_t trial, EndpointEffect effect, TimePoint now);
  UpstreamChange fail(Health& health, bool trial, TimePoint now) REQUIRES_LOCK(mutex_);
  void end_trial(std::uint32_t index, std::uint32_t trial);

  const EjectionRule rule_;
  const std::vector<Upstream> list_;
  const std::vector<UpstreamUrl> urls_;
  Mutex mutex_;
  std::vector<Health> health_ GUARDED_BY(mutex_);
  std::uint32_t trials_ GUARDED_BY(mutex_) = 0;
};

}  // namespace akr
