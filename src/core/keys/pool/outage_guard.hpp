// outage_guard.hpp - blames the upstream instead of the keys when most of a pool fails the same way (D25).
//
// A wave: at least half of the keys, and at least 3 (of two keys both), meet the same class of failure within 60 s and
// no request succeeds in between.  Then every penalty of the wave is taken back, further ones are not applied, and one
// request per second finds out; the first success ends it.  Waits that the provider or a rule announced do not count:
// it answers, and it said when to come back.
//
// What is suspected is no more than what failed:
//   the pool              failures of keys; or a third refusal of our address, which blames no key
//   each model by itself  failures that concern models only: one request per second and model, so that who asks for a
//                         model that fails keeps nobody from the others
//   models that lack      most keys refuse them: no second key is asked for such a model, but requests pass, because
//                         their clients are better served by the provider's words; not worth an alert
// Keys that refuse access again soon after they were let off for it are believed: others may have what they lack.
// Not thread-safe.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/keys/key_state.hpp"
#include "core/keys/pool/health.hpp"
#include "core/keys/pool/key_claim.hpp"

namespace akr {

// What a verdict changed, and how it was before.
struct Penalty {
  KeyId key;
  Scope scope = Scope::kKey;
  ModelTag model;
  Health before;
};

class OutageGuard {
 public:
  enum class Class : std::uint8_t { kCool, kExhaust, kSuspect, kForbid, kInvalidate, kAddress, kPermission, kModel };

  // A mark that the guard keeps with each key.
  struct Mark {
    std::uint64_t wave = 0;
    TimePoint at{};
    std::uint32_t let_off_s = 0;  // seconds of TimePoint, when a refusal of access was taken back; 0 = never
    Class what = Class::kCool;
  };

  // A failure of a key, as it was applied.
  struct Failure {
    Class what;
    std::string_view reason;  // static storage
    Penalty penalty;
  };

  static bool counts(const Verdict& verdict);
  static Class class_of(const Verdict& verdict);

  bool suspected() const { return status_.suspected; }
  const OutageStatus& status() const { return status_; }

  // May a request for this model (hash; 0 = none) not go out now?  `again`: it has tried a key already.
  bool holds_back(std::uint64_t model, bool again, TimePoint now) const {
    if (!active_) return false;
    if (again && lacking_[place(model)]) return true;
    return status_.suspected && now < next_probe(model);
  }
  TimePoint next_probe(std::uint64_t model) const { return next_probe_[of_models_ ? place(model) : 0]; }
  void probe_sent(std::uint64_t model, TimePoint now);

  // A failure that counts(): is it one more of what is suspected, or an attempt from before the last suspicion ended?
  // Then it is no news, and nobody's fault.  `scope` as it would be applied.
  bool is_known(Class what, Scope scope, std::uint64_t model, std::uint64_t ticket) const;
  // One that is news.  True if it completes a wave; then penalties() are to be taken back.
  bool failed(const Failure& failure, Mark& mark, std::size_t keys, TimePoint now);
  std::vector<Penalty> take_penalties();  // of the class that tripped the guard, youngest first
  // The provider refused our address, and no key can change that.
  void address_refused(std::string_view reason, TimePoint now);
  void succeeded(std::uint64_t last_ticket) {
    if (active_ || head_ != entries_.size() || refusals_ != 0) end(last_ticket);
  }
  void forget_wave();  // the marks are gone or moved: starts counting anew

 private:
  struct Entry {
    TimePoint at;
    Mark* mark = nullptr;  // valid until forget_wave()
    Class what = Class::kCool;
    Penalty penalty;
  };
  static constexpr std::size_t kClasses = 8;
  static constexpr std::size_t kPlaces = 64;  // of models, by hash
  static std::size_t place(std::uint64_t model) { return model % kPlaces; }

  void expire(TimePoint now);
  bool trips(Class what, std::size_t keys) const;
  void suspect(std::string_view reason, bool models, TimePoint now);
  bool concerns_models_only(Class what) const;
  void end(std::uint64_t last_ticket);

  OutageStatus status_;
  bool active_ = false;     // something is suspected
  bool of_models_ = false;  // each model by itself
  bool spare_probe_ = false;
  std::array<TimePoint, kPlaces> next_probe_{};
  std::bitset<kPlaces> lacking_;
  std::uint64_t ended_at_ = 0;  // the youngest ticket when the last suspicion ended
  std::uint64_t wave_ = 1;
  Class tripped_by_ = Class::kCool;
  std::size_t head_ = 0;
  std::vector<Entry> entries_;  // [head_, end) lie within 60 s
  std::size_t distinct_[kClasses] = {};
  std::size_t refusals_ = 0;  // of our address, since the last success
  std::array<TimePoint, 2> refused_at_{};
};

}  // namespace akr
