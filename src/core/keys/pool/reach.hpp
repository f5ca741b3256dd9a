// reach.hpp - whom a key's verdicts and waits concern: the key itself and, if it has one, its quota group.
//
// A rule about waits is written once, for a WaitOwner, and applied to each() of the reach.  Values that point into the
// pool's tables: good until those change.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include "core/keys/pool/model_waits.hpp"
#include "core/keys/pool/roster.hpp"

namespace akr {

// Bits of KeyClaim::trials: the waits that an attempt tries to end.
enum TrialBit : std::uint8_t {
  kTrialOfKey = 1,
  kTrialOfGroup = 2,
  kTrialOfKeyModel = 4,
  kTrialOfGroupModel = 8,
  kValidation = 128,  // not a request: outside of the limits
};

// A key, or a quota group: whatever can wait, for everything or for one model.
template <bool kReadOnly>
class BasicWaitOwner {
  template <class T>
  using Ref = std::conditional_t<kReadOnly, const T, T>;

 public:
  BasicWaitOwner(Ref<Slot>& slot, Ref<KeyRecord>& record, Ref<LimitAccount>* limits)
      : slot_(&slot), record_(&record), limits_(limits) {}
  explicit BasicWaitOwner(Ref<QuotaGroup>& group) : group_(&group), limits_(group.limits.get()) {}

  Ref<Health>& health() const { return group_ != nullptr ? group_->health : record_->health; }
  Ref<TimePoint>& paced_until() const { return group_ != nullptr ? group_->paced_until : record_->paced_until; }
  Ref<LimitAccount>* limits() const { return limits_; }  // its own; nullptr = no limits of its own
  PairOwner pair() const { return group_ != nullptr ? group_->pair : PairOwner::of(slot_->id); }

  // False: nothing of its own holds anybody back, and its record need not come from memory.
  bool troubled() const { return group_ != nullptr || slot_->troubled; }
  bool model_waits() const { return group_ != nullptr ? group_->model_waits : slot_->model_waits; }
  void set_model_waits(bool waits) const {
    if (group_ != nullptr) {
      group_->model_waits = waits;
    } else {
      slot_->model_waits = waits;
    }
  }

  TrialBit trial() const { return group_ != nullptr ? kTrialOfGroup : kTrialOfKey; }
  TrialBit model_trial() const { return group_ != nullptr ? kTrialOfGroupModel : kTrialOfKeyModel; }

 private:
  Ref<Slot>* slot_ = nullptr;
  Ref<KeyRecord>* record_ = nullptr;
  Ref<QuotaGroup>* group_ = nullptr;
  Ref<LimitAccount>* limits_ = nullptr;
};

template <bool kReadOnly>
class BasicReach {
  template <class T>
  using Ref = std::conditional_t<kReadOnly, const T, T>;

 public:
  using Owner = BasicWaitOwner<kReadOnly>;

  BasicReach(const Owner& key, Ref<QuotaGroup>* group) : key_(key), group_(group) {}

  const Owner& key() const { return key_; }
  bool grouped() const { return group_ != nullptr; }
  // Who bears what is said of a quota: keys of a group share one.
  Owner payer() const { return group_ != nullptr ? Owner(*group_) : key_; }

  template <class Rule>  // rule(Owner): the key first
  void each(Rule rule) const {
    rule(key_);
    if (group_ != nullptr) rule(Owner(*group_));
  }
  template <class Test>  // test(Owner) -> bool; the group is not asked if the key says no
  bool all(Test test) const {
    return test(key_) && (group_ == nullptr || test(Owner(*group_)));
  }

 private:
  Owner key_;
  Ref<QuotaGroup>* group_;
};

using WaitOwner = BasicWaitOwner<false>;
using Reach = BasicReach<false>;
using ReadOnlyReach = BasicReach<true>;

}  // namespace akr
