// key_state.hpp - what is known about an upstream key's health, as values: for the UI, the store, logs and traces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "core/ids.hpp"

namespace akr {

// Set by the machine only; people set UpstreamKey::enabled (D03).
enum class KeyState : std::uint8_t {
  kActive,
  kCooling,    // skipped until a time
  kExhausted,  // out of quota until a time; then one request tries it
  kInvalid,    // the provider refuses the credential; comes back by validation or reset
};
std::string_view to_string(KeyState state);  // "active", "cooling", "exhausted", "invalid"

// Why a key is not (or is) offered to the next request.  Each key is in exactly one class.
enum class KeyStanding : std::uint8_t {
  kUsable,
  kTrial,       // its wait is over: one request at a time tries it (half-open)
  kOnTrial,     // that request is running
  kDisabled,    // by people
  kUnreadable,  // its ciphertext did not open
  kDraining,    // weight 0
  kCooling,
  kExhausted,
  kInvalid,
  kLimited,  // rpm, tpm, rpd or monthly quota reached
  kPaced,    // the provider said that nothing is left until a time
  kBusy,     // max_concurrency reached: free as soon as an attempt ends
};
inline constexpr std::size_t kStandings = 12;
std::string_view to_string(KeyStanding standing);

// How many keys a selection passed over and why; filled by KeyPool::select() for whoever asks.  Fixed size.
struct SelectTrace {
  std::array<std::uint32_t, kStandings> standings{};  // of the whole pool, by KeyStanding, at the time of the choice
  std::uint32_t tried = 0;                            // usable, but this request already used them
  std::uint32_t model_cooling = 0;     // usable, but not for this model; counted up to the key that was taken
  std::uint32_t too_few_tokens = 0;    // usable, but what is left of their tpm does not hold this request
  std::int32_t tier = 0;               // priority of the key taken
  bool affinity = false;               // taken because the conversation was there before
  bool home = false;                   // taken because the access key's other things are made there
  bool pinned = false;                 // the only key, or account, that may serve the request
  bool trial = false;                  // a half-open key
  bool suspected = false;              // the outage guard is on
  KeyId key;                           // the key taken; 0 = none
  std::string_view model_reason = {};  // of the first wait behind model_cooling, as in ModelWaitStatus; the pool's
};

// A model that a key, or its group, waits for.
struct ModelWaitStatus {
  std::string model;               // cut at 55 bytes
  std::string reason;              // code of the verdict, or "paced": the provider said that nothing is left
  std::optional<TimePoint> until;  // when it is asked for again
};

// One key for people (D34).
struct KeyStatus {
  KeyState state = KeyState::kActive;
  KeyStanding standing = KeyStanding::kUsable;
  std::string reason;              // code of the last verdict that blamed the key; "" = none
  std::optional<TimePoint> since;  // when it left (or last came back to) active
  std::optional<TimePoint> until;  // end of the wait
  std::optional<TimePoint> last_used;
  std::uint32_t consecutive_failures = 0;
  std::uint32_t in_flight = 0;
  int last_status = 0;
  std::string last_error;            // redacted by whoever reported it, at most 500 bytes
  std::uint32_t cooling_models = 0;  // models for which it, or its group, waits; at most 1000 of each are looked at
  std::vector<ModelWaitStatus> model_waits;  // the first 100 of them
};

// The part of the pool's memory that a restart must not lose.  One row per key, quota group, or either with a model.
struct KeyStateRecord {
  KeyId key;  // 0: the row is about `group`
  std::string group;
  std::string model;  // "" = all models
  KeyState state = KeyState::kActive;
  std::string reason;
  WallTime since{};
  WallTime until{};
  WallTime next_try{};  // when one request may try it, at most `until`
  bool half_open = false;
  std::uint32_t rate_level = 0;  // how often the waits were doubled
  std::uint32_t quota_level = 0;
  std::uint32_t failures = 0;    // consecutive
  std::uint64_t used_today = 0;  // requests in the day / month that `usage_at` lies in
  std::uint64_t used_this_month = 0;
  WallTime usage_at{};
};

// The outage guard (D25): most of the pool failed the same way, so the upstream is blamed instead of the keys.
struct OutageStatus {
  bool suspected = false;
  TimePoint since{};
  std::string_view reason = {};  // of the failure that tripped it
  std::uint64_t episodes = 0;    // one alert per episode: remember the last one seen
};

}  // namespace akr
