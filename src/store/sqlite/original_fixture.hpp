// original_fixture.hpp - for tests: a database as the first version left it, with keys in plain text.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/sqlite/sqlite_fixture.hpp"

namespace akr {

// As GORM creates it.
inline constexpr const char* kOriginalSchema = R"sql(
CREATE TABLE `proxy_configs` (`id` integer PRIMARY KEY AUTOINCREMENT,`name` text NOT NULL,`slug` text NOT NULL,
  `config_type` text NOT NULL,`api_key_location` text,`api_key_name` text,`is_active` numeric DEFAULT true,
  `created_at` datetime,`updated_at` datetime,`method` text,`target_url` text,`target_base_url` text,
  `api_format` text DEFAULT "openai_compatible",`output_format` text DEFAULT "none");
CREATE UNIQUE INDEX `idx_proxy_configs_name` ON `proxy_configs`(`name`);
CREATE UNIQUE INDEX `idx_proxy_configs_slug` ON `proxy_configs`(`slug`);
CREATE INDEX `idx_proxy_configs_config_type` ON `proxy_configs`(`config_type`);
CREATE TABLE `api_keys` (`id` integer PRIMARY KEY AUTOINCREMENT,`key_value` text NOT NULL,
  `is_active` numeric DEFAULT true,`proxy_config_id` integer,
  CONSTRAINT `fk_proxy_configs_api_keys` FOREIGN KEY (`proxy_config_id`) REFERENCES `proxy_configs`(`id`)
  ON DELETE CASCADE);
)sql";

class OriginalFixture : public SqliteFixture {
 public:
  static std::string plain_key(int number) { return "sk-plain-" + std::to_string(1000 + number) + "-" + kFiller; }

  // One service and 300 keys, after a life of edits and deletions; the last writes are in -wal only, as after a kill.
  // All files can be read by everybody.
  void make_original() {
    // secure_delete is off by default, but not in Debian's build of SQLite.
    sql(std::string(kOriginalSchema) +
        "INSERT INTO proxy_configs (id, name, slug, config_type, method, target_url,"
        " is_active) VALUES (1, 'A', 'a', 'GENERIC', 'GET', 'https://a.example', 1)");
    std::string rows;
    for (int i = 0; i < 6000; ++i) rows += insert(i);
    sql("PRAGMA synchronous = OFF; BEGIN;" + rows + "COMMIT");
    sql("PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF; DELETE FROM api_keys WHERE id > 600 OR id % 2 = 0; "
        "UPDATE api_keys SET key_value = key_value || '-longer' WHERE id % 7 = 0");
    leave_wal_behind("DELETE FROM api_keys WHERE id > 590;" + insert(6000) + insert(6001) +
                     "UPDATE api_keys SET key_value = key_value || '-edited' WHERE id % 11 = 0;");
    for (const char* tail : {"", "-wal"}) std::filesystem::permissions(path() + tail, std::filesystem::perms(0644));
  }

  // Files of the directory in which any text of a plain key is left, by name.
  std::vector<std::string> files_with_plain_text() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory().path())) {
      if (content(entry.path()).find("sk-plain-") != std::string::npos) found.push_back(entry.path().filename());
    }
    return found;
  }

  std::vector<std::string> files_open_to_others() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory().path())) {
      const auto others = std::filesystem::status(entry.path()).permissions() & std::filesystem::perms(0077);
      if (others != std::filesystem::perms::none) found.push_back(entry.path().filename());
    }
    return found;
  }

 private:
  static constexpr const char* kFiller = "abcdefghijklmnopqrstuvwxyz0123456789";

  static std::string insert(int number) {
    return "INSERT INTO api_keys (key_value, is_active, proxy_config_id) VALUES ('" + plain_key(number) + "', 1, 1);";
  }

  void leave_wal_behind(const std::string& writes) {
    namespace fs = std::filesystem;
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
    const std::string text =
        "PRAGMA secure_delete = OFF; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;" + writes;
    ASSERT_EQ(sqlite3_exec(raw, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
    const std::string database = content(path()), log = content(path() + "-wal");
    sqlite3_close(raw);
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << database;
    std::ofstream(path() + "-wal", std::ios::binary | std::ios::trunc) << log;
  }
};

}  // namespace akr
