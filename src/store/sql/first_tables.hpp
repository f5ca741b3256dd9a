// first_tables.hpp - the first migration: the original's tables, made or taken over, repaired and completed.
#pragma once

#include <string>

#include "store/sql/migrations.hpp"

namespace akr {

void make_first_tables(const MigrationStep& step);

// Everything that identifies it, for its checksum.
std::string first_tables_text();

}  // namespace akr
