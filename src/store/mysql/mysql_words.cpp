#include "store/mysql/mysql_words.hpp"

#include <array>

namespace akr {
namespace {

// Trailing spaces count, as they do everywhere else; the two have different names for that.
constexpr std::string_view kMariadbEnd = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin";
constexpr std::string_view kMysqlEnd = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin";

// The original's columns: keys of 255 characters, and slugs that are the same in capitals.
constexpr std::array<std::string_view, 10> kMariadbAdopts = {
    "ALTER TABLE proxy_configs ENGINE=InnoDB ROW_FORMAT=DYNAMIC, CONVERT TO CHARACTER SET utf8mb4 COLLATE "
    "utf8mb4_nopad_bin",
    "ALTER TABLE api_keys ENGINE=InnoDB ROW_FORMAT=DYNAMIC, CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    "ALTER TABLE api_keys MODIFY key_value mediumtext NOT NULL",
    "ALTER TABLE proxy_configs MODIFY api_key_location mediumtext",
    "ALTER TABLE proxy_configs MODIFY api_key_name mediumtext",
    "ALTER TABLE proxy_configs MODIFY method mediumtext",
    "ALTER TABLE proxy_configs MODIFY target_url mediumtext",
    "ALTER TABLE proxy_configs MODIFY target_base_url mediumtext",
    "ALTER TABLE proxy_configs MODIFY name varchar(100) NOT NULL",
    "ALTER TABLE proxy_configs MODIFY slug varchar(100) NOT NULL",
};
constexpr std::array kMysqlAdopts = [] {
  auto statements = kMariadbAdopts;
  statements[0] =
      "ALTER TABLE proxy_configs ENGINE=InnoDB ROW_FORMAT=DYNAMIC, CONVERT TO CHARACTER SET utf8mb4 COLLATE "
      "utf8mb4_0900_bin";
  statements[1] =
      "ALTER TABLE api_keys ENGINE=InnoDB ROW_FORMAT=DYNAMIC, CONVERT TO CHARACTER SET utf8mb4 COLLATE "
      "utf8mb4_0900_bin";
  return statements;
}();

constexpr Dialect kMariadb{
    .auto_id = "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
    .integer = "bigint",
    .flag = "boolean DEFAULT true",
    .time = "datetime(3) NULL",
    .text = "mediumtext",
    .name = "varchar(100)",
    .word = "varchar(50)",
    .table_end = kMariadbEnd,
    .table_exists =
        "SELECT count(*) FROM information_schema.tables"
        " WHERE table_schema = database() AND table_name = :table",
    .table_names = "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
    .column_names =
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = database() AND table_name = :table",
    .index_exists =
        "SELECT count(*) FROM information_schema.statistics"
        " WHERE table_schema = database() AND table_name = :table AND index_name = :name",
    .last_id = "SELECT last_insert_id()",
    .begin_write = "START TRANSACTION",
    .lock_rows = " FOR UPDATE",
    // The name is the server's, not the database's.
    .lock_upgrade = "SELECT coalesce(get_lock(concat('akr:', sha1(database())), 0), 0)",
    .adopt_tables = kMariadbAdopts,
    .copy_table = "CREATE TABLE {to} LIKE {from};INSERT INTO {to} SELECT * FROM {from}",
    .rewrite_keys = "ALTER TABLE {table} FORCE",
    .upsert = Upsert::kOnDuplicateKey,
    .rows_per_insert = 200,
    .times_have_zones = false,
    .is_server = true,
};

constexpr Dialect kMysql = [] {
  Dialect words = kMariadb;
  words.table_end = kMysqlEnd;
  words.adopt_tables = kMysqlAdopts;
  return words;
}();

}  // namespace

const Dialect& mysql_words(bool is_mariadb) { return is_mariadb ? kMariadb : kMysql; }

}  // namespace akr
