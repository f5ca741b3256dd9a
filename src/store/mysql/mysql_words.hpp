// mysql_words.hpp - the dialects of MySQL and MariaDB.
#pragma once

#include "store/sql/dialect.hpp"

namespace akr {

const Dialect& mysql_words(bool is_mariadb);

}  // namespace akr
