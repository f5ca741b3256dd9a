// health.hpp - the health of one key, of one quota group, or of either for one model: how a verdict changes it and
// when a wait is over.  The thresholds are behaviour.md D02, D03 and its section 2.  Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "core/keys/key_state.hpp"
#include "core/outcome/verdict.hpp"

namespace akr {

struct Health {
  KeyState state = KeyState::kActive;
  bool half_open = false;        // when the wait ends, one request tries it before all others may
  bool on_trial = false;         // that request is running
  bool lacks_model = false;      // what it waits for will not come: see Verdict
  std::uint8_t rate_level = 0;   // waits of our own length since the last success: 60 s doubling to 900 s
  std::uint8_t quota_level = 0;  // exhaustions without a hint since the last success, or trials that an invalid one
                                 // failed: 1 h doubling to 24 h
  std::uint8_t refused = 0;      // 401s in a row
  std::uint8_t forbidden = 0;    // 403s in a row
  std::uint32_t failures = 0;    // verdicts that blame it, in a row
  std::uint64_t ticket = 0;      // claims up to this one began before the current wait
  TimePoint since{};
  TimePoint until{};             // what the provider (or our default) says
  TimePoint next_try{};          // at most `until`: long waits are tried every hour
  TimePoint refused_at{};        // of the last 401
  std::string_view reason = {};  // static storage
};

struct Blame {
  TimePoint now;
  std::uint64_t claim = 0;       // ticket of the attempt that failed
  std::uint64_t last_claim = 0;  // youngest ticket of the pool
  bool auto_disable = true;
  int invalid_after = 2;
  bool try_invalid = false;  // PoolSettings
  bool sole_key = false;     // D06: without a hint a single key does not wait; its client sees the provider's answer
};

enum class Gate { kOpen, kTrial, kOnTrial, kShut };

// May a request pass?
Gate peek(const Health& health, TimePoint now);
// The same; and a wait that is over ends, unless it is half-open.
Gate gate(Health& health, TimePoint now);

// Applies a verdict that blames.  Deadlines only ever extend.  Attempts that began before the current wait are no new
// evidence: they extend it but do not escalate it.
void punish(Health& health, const Verdict& verdict, const Blame& blame);

// An invalid one will be tried by a request, too: in an hour, unless that is arranged already.
void arrange_trial(Health& invalid, TimePoint now);

// A success of claim `claim`: counters to 0, and the wait ends - unless the attempt began before the wait did.
// True if nothing is left to remember.
bool forgive(Health& health, std::uint64_t claim, TimePoint now);

}  // namespace akr
