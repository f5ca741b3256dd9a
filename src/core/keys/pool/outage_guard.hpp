// outage_guard.hpp - blames the upstream instead of the keys when most of a pool fails the same way (D25).
//
// A wave: at least half of the keys, and at least 3, meet the same class of failure within 60 s and no request
// succeeds in between.  Then every penalty of the wave is taken back, further ones are not applied, and one request
// per second finds out; the first success ends it.  Waits that the provider itself announced do not count: it answers,
// and it said when to come back.  Not thread-safe.
#pragma once

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
  // A mark that the guard keeps with each key.
  struct Mark {
    std::uint64_t wave = 0;
    TimePoint at{};
    KeyAction action = KeyAction::kNone;
  };
  static bool counts(const Verdict& verdict);

  bool suspected() const { return status_.suspected; }
  const OutageStatus& status() const { return status_; }
  TimePoint next_probe() const { return next_probe_; }
  void probe_sent(TimePoint now) { next_probe_ = now + std::chrono::seconds(1); }

  // A failure that counts().  True if it completes a wave; then penalties() are to be taken back.
  bool failed(const Verdict& verdict, Mark& mark, Penalty&& penalty, std::size_t keys, TimePoint now);
  std::vector<Penalty> take_penalties();  // of the class that tripped the guard, youngest first
  void succeeded();
  void forget_wave();  // the marks are gone or moved: starts counting anew

 private:
  struct Entry {
    TimePoint at;
    Mark* mark = nullptr;  // valid until forget_wave()
    KeyAction action = KeyAction::kNone;
    Penalty penalty;
  };
  void expire(TimePoint now);

  OutageStatus status_;
  TimePoint next_probe_{};
  std::uint64_t wave_ = 1;
  KeyAction tripped_by_ = KeyAction::kNone;
  std::size_t head_ = 0;
  std::vector<Entry> entries_;  // [head_, end) lie within 60 s
  std::size_t distinct_[7] = {};
};

}  // namespace akr
