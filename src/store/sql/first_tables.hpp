// first_tables.hpp - the first migration: the original's tables, made or taken over, repaired and completed.
#pragma once

#include <string>

#include "base/result.hpp"
#include "store/sql/migrations.hpp"

namespace akr {

// kUnsupported: tables of these names are there, and not the original's.  Throws soci::soci_error.
Result<void> check_first_tables(soci::session& session, const Dialect& dialect);

void make_first_tables(const MigrationStep& step);

// Everything that identifies it, for its checksum.
std::string first_tables_text();

}  // namespace akr
