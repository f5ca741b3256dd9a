// sql_time.hpp - times as the original's tables hold them.
#pragma once

#include <string>

#include "base/clock.hpp"

namespace akr {

// "2026-11-22 20:32:33.711+00:00", as the original writes it; reads its nanoseconds and zones too.
std::string to_sql_time(WallTime time);
WallTime from_sql_time(const std::string& text);  // the epoch for anything else

}  // namespace akr
