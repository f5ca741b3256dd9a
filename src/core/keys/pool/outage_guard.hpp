// outage_guard.hpp - blames the upstream instead of the keys when most of a pool fails the same way (D25).
//
// A wave: at least half of the keys, and at least 3 (of two keys both), meet the same class of failure within 60 s and
// no request succeeds in between.  Then every penalty of the wave is taken back, further ones are not applied, and one
// request per second finds out; the first success ends it.  Waits that the provider or a
// rule announced do not count: it answers, and it said when to come back.
//
// Whoever finds out asks a key that did not fail yet, in another tier than the last one, before any that did: where
// only some keys are bad, the good ones are found whatever tier they are in.  A tier in which none failed is not even
// held back: nothing says that it fails.
//
// Whose penalty was taken back is let off, not acquitted: a key that fails again, after others succeeded and before it
// did itself, is believed.  Failures that are believed trip the guard only together with others, so that an outage that
// comes again finds it on its post.
//
// What is suspected is no more than what failed:
//   the pool              failures of keys; or a third refusal of our address, which blames no key
//   each model by itself  failures that concern models only: one request per second and model, so that who asks for a
//                         model that fails keeps nobody from the others
//   models that lack      most keys refuse them: no second key is asked for such a model, but requests pass, because
//                         their clients are better served by the provider's words; not worth an alert
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
    std::uint32_t let_off_s = 0;      // seconds of TimePoint, when it was let off, or what it got since ends; 0 = never
    std::uint32_t round = 0;          // the last one in which it failed
    std::uint16_t let_off_model = 0;  // for which it was let off (the end of its hash); 0 = for all
    Class let_off_for = Class::kCool;
    Class what = Class::kCool;
    bool news = true;  // in its wave: it was not believed
  };

  // A failure of a key, as it was applied.
  struct Failure {
    Class what;
    std::string_view reason;  // static storage
    Penalty penalty;
    TimePoint rests_until{};
  };

  static bool counts(const Verdict& verdict);
  static Class class_of(const Verdict& verdict);

  bool suspected() const { return status_.suspected; }
  const OutageStatus& status() const { return status_; }

  // May a request for this model (hash; 0 = none) not go out now?  `again`: it has tried a key already.
  // Not to a tier in which no key failed, though: see failed_in().
  bool holds_back(std::uint64_t model, bool again, TimePoint now) const {
    if (!active_) return false;
    if (again && lacking_[place(model)]) return true;
    return status_.suspected && now < next_probe(model);
  }
  TimePoint next_probe(std::uint64_t model) const { return next_probe_[of_models_ ? place(model) : 0]; }

  // Is it in doubt what a request for this model will meet?  Then it should go to a key that did not fail in this
  // round(), in a tier in which none failed since the doubts began, or else in the tiers from first_tier() on.
  bool doubts(std::uint64_t model) const { return active_ && (status_.suspected || lacking_[place(model)]); }
  bool failed_in(std::size_t tier) const { return tier < failed_tiers_.size() && failed_tiers_[tier]; }
  std::size_t first_tier() const { return first_tier_; }
  std::uint32_t round() const { return round_; }
  // Even if it holds_back() a second attempt: it has just been found out that most keys lack the model, and one of the
  // others may be asked.
  bool one_more(std::uint64_t model) const { return one_more_[place(model)]; }
  void begin_round(std::uint32_t round) { round_ = round; }
  // REQUIRES: doubts(model).
  void probe_sent(std::uint64_t model, std::size_t tier, TimePoint now);

  // A failure that counts(): is it one more of what is suspected, or an attempt from before the last suspicion ended?
  // Then it is no news, and nobody's fault.  `scope` as it would be applied.
  bool is_known(Class what, Scope scope, std::uint64_t model, std::uint64_t ticket) const;
  // One that is known, if something is in doubt still: the key, of this tier, was asked, and is let off.
  void failed_again(Class what, const Penalty& penalty, std::size_t tier, Mark& mark, TimePoint now);
  // One that is news.  True if it completes a wave; then penalties() are to be taken back.
  bool failed(const Failure& failure, Mark& mark, std::size_t keys, TimePoint now);
  std::vector<Penalty> take_penalties();  // of the class that tripped the guard, youngest first
  void note_failed_in(std::size_t tier);  // for each of them
  // The provider refused our address, and no key can change that.  `mark` of the key that came with it.
  void address_refused(std::string_view reason, std::size_t tier, Mark& mark, TimePoint now);
  // Was the key let off for the like of this, and has it not succeeded since?
  bool believes(const Mark& mark, Class what, TimePoint now) const;
  // The key itself succeeded with this model.
  static void acquit(Mark& mark, std::uint64_t model, TimePoint now);
  // Does a success of the key have nothing to acquit it of?
  static bool acquitted(const Mark& mark);
  void succeeded(std::uint64_t last_ticket) {
    if (active_ || head_ != entries_.size() || refusals_ != 0) end(last_ticket);
  }
  void forget_wave();  // the marks are gone or moved: starts counting anew

 private:
  struct Count {
    std::size_t keys = 0;
    std::size_t news = 0;  // of them, those that were not believed
  };
  struct Refusal {
    TimePoint at{};
    Mark* mark = nullptr;  // valid until forget_wave()
  };
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
  void let_off(Mark& mark, Class what, const Penalty& penalty, TimePoint at) const;
  void count(const Mark& mark);
  void uncount(const Mark& mark);
  void suspect(std::string_view reason, bool models, TimePoint now);
  bool concerns_models_only(Class what) const;
  void end(std::uint64_t last_ticket);

  OutageStatus status_;
  bool active_ = false;     // something is suspected
  bool of_models_ = false;  // each model by itself
  bool spare_probe_ = false;
  std::array<TimePoint, kPlaces> next_probe_{};
  std::bitset<kPlaces> lacking_;
  std::bitset<kPlaces> one_more_;
  std::vector<bool> failed_tiers_;  // since the doubts began
  std::size_t first_tier_ = 0;
  std::uint32_t round_ = 1;
  std::uint64_t ended_at_ = 0;  // the youngest ticket when the last suspicion ended
  std::uint64_t wave_ = 1;
  Class tripped_by_ = Class::kCool;
  std::size_t head_ = 0;
  std::vector<Entry> entries_;  // [head_, end) lie within 60 s
  std::array<Count, kClasses> distinct_{};
  std::size_t refusals_ = 0;          // of our address, since the last success
  std::array<Refusal, 2> refusal_{};  // the last ones
};

// One request while there are doubts.
struct Asking {
  const OutageGuard& guard;
  bool held;            // only a tier in which no key failed may be asked,
  bool one_more;        // or one key that did not fail
  std::uint32_t round;  // in: the guard's; out: in which the key was found
  Asking(const OutageGuard& guard, std::uint64_t model, bool again, TimePoint now)
      : guard(guard),
        held(guard.holds_back(model, again, now)),
        one_more(guard.one_more(model)),
        round(guard.round()) {}
};

}  // namespace akr
