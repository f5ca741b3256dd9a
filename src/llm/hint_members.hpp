// hint_members.hpp - members of error bodies that say when to come back, by their names: providers agree on little
// else.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace akr {

enum class HintForm {
  kWait,          // a number of seconds, a duration, or a point in time
  kMilliseconds,  // a number of them
};

// Of "retry_after", "retryAfterMs", "resets_at", "quotaResetDelay" and their like, in any letter case, with or without
// '_' and '-'.  nullopt: the member says nothing about that.
std::optional<HintForm> hint_form(std::string_view member);

// nullopt if the value is no time.
std::optional<Duration> read_hint(HintForm form, std::string_view value, WallTime now);

}  // namespace akr
