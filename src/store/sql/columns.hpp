// columns.hpp - the columns that the tables have beyond the original's, by the version that brought them.
//
// A column of a listed field (core/service/fields.hpp) has its name there, and is defined by its kind and default.  The
// lists by version only say in what order they came, so that every database has them in the same one; fields that came
// after version 3 stand in no list: their columns, and the few others of late_columns(), are added wherever they are
// missing.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <soci/soci.h>

#include "store/sql/dialect.hpp"

namespace akr {

struct Column {
  std::string_view table;
  std::string_view name;
  std::string definition;  // with {names} (dialect.hpp)
};

std::vector<Column> late_columns();  // of every listed field, and what else came after version 3
std::vector<Column> columns_of_version(int version);

// All throw soci::soci_error.  Adding REQUIRES: inside a write transaction.  It may be repeated.
std::set<std::string> column_names(soci::session& session, const Dialect& dialect, const std::string& table);
std::vector<Column> missing_columns(soci::session& session, const Dialect& dialect, std::vector<Column> wanted);
void add_columns(soci::session& session, const Dialect& dialect, std::vector<Column> wanted);

}  // namespace akr
