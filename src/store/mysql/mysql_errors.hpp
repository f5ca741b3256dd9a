// mysql_errors.hpp - what the error numbers of MySQL and MariaDB mean, and what to do about them.
//
// Numbers: dev.mysql.com/doc/mysql-errors/8.0, mariadb.com/kb/en/mariadb-error-code-reference.
#pragma once

#include <string>

#include "base/database_address.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

// Encryption was asked for, and is not there.
class NoTls final : public soci::soci_error {
 public:
  using soci::soci_error::soci_error;
};

SqlFailure explain_mysql(const soci::soci_error& error, const DatabaseServer& server, const std::string& where);

}  // namespace akr
