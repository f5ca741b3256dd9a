// database_words.hpp - what messages and texts say of all kinds of database servers, made from their list.
#pragma once

#include <string>

#include "base/language.hpp"

namespace akr {

std::string server_words();  // of DB_TYPE: "mysql or postgresql"
Text usual_ports();          // "3306 (MySQL), 5432 (PostgreSQL)"
Text usual_users();          // "`root` (MySQL), ..."

}  // namespace akr
