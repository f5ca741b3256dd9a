// select_preview.hpp - what KeyPool::select() would do and why, as values: for people who ask before they send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "core/ids.hpp"
#include "core/keys/key_state.hpp"

namespace akr {

// One key, seen by the request in question.
struct KeyOutlook {
  KeyId key;
  // "taken"; "usable": its turn comes later; "lower_tier": a better tier (lower number) goes first; "tried",
  // "model_cooling", "too_few_tokens", "suspected" (the outage guard lets nothing through now); otherwise a
  // KeyStanding's name.
  std::string_view why;              // static storage
  std::optional<TimePoint> until;    // when that is over by itself
  std::string reason = {};           // "model_cooling" and waits: as in KeyStatus and ModelWaitStatus
  std::string_view limit = {};       // "limited", "busy", "too_few_tokens": the limit's name in KeyLimits
  std::optional<double> share = {};  // policies that draw lots: how likely it is to be taken
};

struct SelectPreview {
  std::string_view policy;       // id, static storage
  SelectTrace trace;             // as select() fills it; trace.key is the key it would take
  std::optional<Error> error;    // set if it would take none
  bool certain = true;           // false: lots are drawn, and trace.key is only what they would say right now
  std::size_t keys_total = 0;    // of the pool
  std::vector<KeyOutlook> keys;  // the first of them in the operator's order
};

}  // namespace akr
