// sql_time.hpp - times as the original's tables hold them.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "store/sql/dialect.hpp"

namespace akr {

// "2026-11-22 20:32:33.711+00:00", as the original writes it; without the zone for servers that keep none.
std::string to_sql_time(WallTime time, const Dialect& dialect);
// Reads the original's nanoseconds and zones too.
WallTime from_sql_time(const std::string& text);  // the epoch for anything else

}  // namespace akr
