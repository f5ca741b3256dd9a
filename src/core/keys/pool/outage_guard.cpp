#include "core/keys/pool/outage_guard.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace akr {
namespace {

constexpr Duration kWindow = std::chrono::seconds(60);
constexpr Duration kProbeEvery = std::chrono::seconds(1);
constexpr std::size_t kFewestKeys = 3;
constexpr std::size_t kFewestRefusals = 3;
constexpr std::uint32_t kSecondsBelieved = 600;
constexpr std::size_t kMostTiers = 1U << 16;

bool of_model(Scope scope) { return scope == Scope::kKeyModel || scope == Scope::kGroupModel; }

std::uint32_t in_seconds(TimePoint at) {
  return static_cast<std::uint32_t>(at.time_since_epoch() / std::chrono::seconds(1));
}

bool denies_access(OutageGuard::Class what) {
  return what == OutageGuard::Class::kPermission || what == OutageGuard::Class::kModel;
}

std::uint16_t end_of(std::uint64_t model) { return static_cast<std::uint16_t>(model); }

// Of two keys both may be bad by themselves: what is said of a credential or of an account's money is believed.
bool is_of_account(OutageGuard::Class what) {
  return what == OutageGuard::Class::kSuspect || what == OutageGuard::Class::kInvalidate ||
         what == OutageGuard::Class::kExhaust;
}

}  // namespace

bool OutageGuard::counts(const Verdict& verdict) {
  return verdict.key != KeyAction::kNone && verdict.key != KeyAction::kGood && !verdict.announced();
}

OutageGuard::Class OutageGuard::class_of(const Verdict& verdict) {
  if (verdict.refuses_address) return Class::kAddress;
  if (verdict.denies_access) return verdict.lacks_model ? Class::kModel : Class::kPermission;
  switch (verdict.key) {
    case KeyAction::kNone:
    case KeyAction::kGood:
    case KeyAction::kCool:
      break;
    case KeyAction::kExhaust:
      return Class::kExhaust;
    case KeyAction::kSuspect:
      return Class::kSuspect;
    case KeyAction::kForbid:
      return Class::kForbid;
    case KeyAction::kInvalidate:
      return Class::kInvalidate;
  }
  return Class::kCool;
}

void OutageGuard::probe_sent(std::uint64_t model, std::size_t tier, TimePoint now) {
  if (!failed_in(tier)) return;  // no probe: nothing is wrong there
  first_tier_ = tier + 1;
  one_more_[place(model)] = false;
  if (!status_.suspected || std::exchange(spare_probe_, false)) return;
  next_probe_[of_models_ ? place(model) : 0] = now + kProbeEvery;
}

bool OutageGuard::is_known(Class what, Scope scope, std::uint64_t model, std::uint64_t ticket) const {
  if (ticket <= ended_at_) return true;
  if (!active_) return false;
  if (what == Class::kModel && lacking_[place(model)]) return true;
  return status_.suspected && (!of_models_ || of_model(scope));
}

void OutageGuard::failed_again(Class what, const Penalty& penalty, std::size_t tier, Mark& mark, TimePoint now) {
  if (!active_) return;
  let_off(mark, what, penalty, now);
  note_failed_in(tier);
}

bool OutageGuard::failed(const Failure& failure, Mark& mark, std::size_t keys, TimePoint now) {
  expire(now);
  // A key counts once, for its latest class.
  if (mark.wave == wave_) uncount(mark);
  mark.news = !believes(mark, failure.what, now);
  if (!mark.news) mark.let_off_s = std::max(in_seconds(now), in_seconds(failure.rests_until));
  mark.wave = wave_;
  mark.at = now;
  mark.what = failure.what;
  count(mark);
  entries_.push_back({now, &mark, failure.what, failure.penalty});
  if (!trips(failure.what, keys)) return false;
  tripped_by_ = failure.what;
  if (failure.what != Class::kModel) suspect(failure.reason, concerns_models_only(failure.what), now);
  return true;
}

void OutageGuard::count(const Mark& mark) {
  Count& count = distinct_[static_cast<std::size_t>(mark.what)];
  ++count.keys;
  count.news += mark.news;
}

void OutageGuard::uncount(const Mark& mark) {
  Count& count = distinct_[static_cast<std::size_t>(mark.what)];
  --count.keys;
  count.news -= mark.news;
}

bool OutageGuard::trips(Class what, std::size_t keys) const {
  const Count& hit = distinct_[static_cast<std::size_t>(what)];
  const std::size_t fewest = keys == 2 && !is_of_account(what) ? 2 : kFewestKeys;
  return hit.keys >= fewest && 2 * hit.keys >= keys && hit.news > 0;
}

void OutageGuard::let_off(Mark& mark, Class what, const Penalty& penalty, TimePoint at) const {
  mark.let_off_s = std::max(1U, in_seconds(at));
  mark.let_off_for = what;
  mark.let_off_model = of_model(penalty.scope) ? end_of(penalty.model.hash()) : std::uint16_t{0};
  mark.round = round_;
}

bool OutageGuard::believes(const Mark& mark, Class what, TimePoint now) const {
  if (mark.let_off_s == 0 || denies_access(what) != denies_access(mark.let_off_for)) return false;
  return in_seconds(now) < mark.let_off_s + kSecondsBelieved;
}

// Not of lacking access: to have served one request says little about what another one may do.
void OutageGuard::acquit(Mark& mark, std::uint64_t model, TimePoint now) {
  const bool over = in_seconds(now) >= mark.let_off_s + kSecondsBelieved;
  const bool same = mark.let_off_model == 0 || mark.let_off_model == end_of(model);
  if (over || (same && !denies_access(mark.let_off_for))) mark.let_off_s = 0;
}

bool OutageGuard::acquitted(const Mark& mark) { return mark.let_off_s == 0 || denies_access(mark.let_off_for); }

void OutageGuard::note_failed_in(std::size_t tier) {
  if (!active_ || tier >= kMostTiers) return;
  if (failed_tiers_.size() <= tier) failed_tiers_.resize(tier + 1);
  failed_tiers_[tier] = true;
  first_tier_ = tier + 1;
}

bool OutageGuard::concerns_models_only(Class what) const {
  return std::all_of(entries_.begin() + static_cast<std::ptrdiff_t>(head_), entries_.end(), [&](const Entry& entry) {
    return entry.what != what || (of_model(entry.penalty.scope) && entry.penalty.model.hash() != 0);
  });
}

void OutageGuard::suspect(std::string_view reason, bool models, TimePoint now) {
  active_ = true;
  if (!status_.suspected) {
    status_ = {.suspected = true, .since = now, .reason = reason, .episodes = status_.episodes + 1};
    of_models_ = models;
    next_probe_ = {};
  }
  of_models_ = of_models_ && models;
  if (!of_models_) next_probe_[0] = now + kProbeEvery;
  for (std::size_t i = head_; of_models_ && i < entries_.size(); ++i)
    next_probe_[place(entries_[i].penalty.model.hash())] = now + kProbeEvery;
}

std::vector<Penalty> OutageGuard::take_penalties() {
  std::vector<Penalty> taken;
  for (std::size_t i = entries_.size(); i-- > head_;) {
    Entry& entry = entries_[i];
    if (entry.what != tripped_by_) continue;
    let_off(*entry.mark, entry.what, entry.penalty, entry.at);
    if (entry.what == Class::kModel) {
      const std::size_t model = place(entry.penalty.model.hash());
      active_ = lacking_[model] = one_more_[model] = true;
    }
    taken.push_back(entry.penalty);
  }
  forget_wave();
  return taken;
}

void OutageGuard::address_refused(std::string_view reason, std::size_t tier, Mark& mark, TimePoint now) {
  const bool in_a_row = refusals_ >= kFewestRefusals - 1 && now - refusal_[0].at <= kWindow;
  if (in_a_row && !(status_.suspected && !of_models_)) {
    suspect(reason, false, now);
    // Nobody was told to wait yet, and no key is to blame: a person who looks on finds none that waits.
    next_probe_[0] = now;
    spare_probe_ = true;
    for (const Refusal& each : refusal_) {
      if (each.mark != nullptr) let_off(*each.mark, Class::kAddress, {}, now);
    }
  }
  refusal_ = {refusal_[1], {now, &mark}};
  ++refusals_;
  if (!status_.suspected || of_models_) return;
  let_off(mark, Class::kAddress, {}, now);
  note_failed_in(tier);
}

void OutageGuard::end(std::uint64_t last_ticket) {
  if (active_) ended_at_ = last_ticket;
  status_.suspected = false;
  active_ = of_models_ = spare_probe_ = false;
  lacking_.reset();
  one_more_.reset();
  failed_tiers_.clear();
  ++round_;
  refusals_ = 0;
  forget_wave();
}

void OutageGuard::expire(TimePoint now) {
  for (; head_ < entries_.size() && now - entries_[head_].at > kWindow; ++head_) {
    const Entry& old = entries_[head_];
    if (old.mark->wave != wave_ || old.mark->at != old.at) continue;  // the key failed again since
    uncount(*old.mark);
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
  distinct_ = {};
  for (Refusal& each : refusal_) each.mark = nullptr;
}

}  // namespace akr
