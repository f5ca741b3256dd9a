// postgresql_errors.hpp - what PostgreSQL's SQLSTATEs mean, and what to do about them.
//
// States: postgresql.org/docs/15/errcodes-appendix.html.
#pragma once

#include <string>

#include "base/database_address.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

SqlFailure explain_postgresql(const soci::soci_error& error, const DatabaseServer& server, const std::string& where);

}  // namespace akr
