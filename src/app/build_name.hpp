// build_name.hpp - which of the two builds this is, as `--version` and `GET /` say it.
#pragma once

#include <string>
#include <string_view>

#include "base/database_kinds.hpp"

namespace akr {

// "light" has no database server, "enterprise" all of them; "custom" is what somebody chose with AKR_MYSQL or
// AKR_POSTGRESQL.  Told by what is there, so that it cannot be wrong.
std::string_view build_name();
std::string_view build_name(bool (*has)(DatabaseKind));

// What is said of a database that this build lacks: that it lacks it, and which build has it.
std::string not_in_this_build(DatabaseKind kind);

}  // namespace akr
