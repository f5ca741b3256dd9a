#include "store/sqlite/sqlite_backend.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include "store/sqlite/file_copy.hpp"

namespace akr {
namespace {

namespace fs = std::filesystem;
using sqlite_api::sqlite3;

sqlite3* handle_of(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

Error unavailable(const std::string& message) { return Error{ErrorCode::kStoreUnavailable, message}; }

// Created by us first, because SQLite would make it readable for everybody.
void create_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
    return;
  }
  throw soci::sqlite3_soci_error(std::string("cannot open the database: ") + std::strerror(errno), SQLITE_CANTOPEN);
}

// "UNIQUE constraint failed: proxy_configs.slug" -> "slug"; the text is SQLite's own and stable.
std::string constraint_column(const std::string& message) {
  const auto at = message.find("constraint failed: ");
  if (at == std::string::npos) return "";
  const auto dot = message.find('.', at);
  if (dot == std::string::npos) return "";
  const auto end = message.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", dot + 1);
  return message.substr(dot + 1, end == std::string::npos ? end : end - dot - 1);
}

}  // namespace

const Dialect& SqliteBackend::dialect() const {
  static const Dialect kWords{
      .begin_write = "BEGIN IMMEDIATE",
      .table_exists = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name",
      .column_exists = "SELECT count(*) FROM pragma_table_info(:table) WHERE name = :name",
      .auto_id = "integer PRIMARY KEY AUTOINCREMENT",
  };
  return kWords;
}

std::unique_ptr<soci::session> SqliteBackend::connect() {
  create_private_file(path_);
  if (path_.find('"') != std::string::npos) {
    throw soci::sqlite3_soci_error("a quote in the path is not supported", SQLITE_CANTOPEN);
  }
  auto session = std::make_unique<soci::session>(*soci::factory_sqlite3(), "dbname=\"" + path_ + "\"");
  sqlite_api::sqlite3_extended_result_codes(handle_of(*session), 1);
  sqlite_api::sqlite3_busy_timeout(handle_of(*session), 5000);
  // An import of 1,000 keys into 100,000 touches 800 pages of the index over their hashes, at random: they must find
  // room in memory until the commit (8 MiB; else each is written several times), and not every such commit may have to
  // copy the log into the database.
  for (const char* pragma : {"PRAGMA cache_size = -8192", "PRAGMA wal_autocheckpoint = 4000",
                             "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON",
                             "PRAGMA secure_delete = ON", "PRAGMA trusted_schema = OFF"}) {
    *session << pragma;
  }
  return session;
}

SqlFailure SqliteBackend::explain(const soci::soci_error& error) const {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  if (sqlite == nullptr) return {Error{ErrorCode::kInternal, "The database could not carry out the operation."}};
  const int code = sqlite->result() & 0xff;
  const std::string where = " (" + path_ + ").";
  switch (code) {
    case SQLITE_CONSTRAINT:
      return {Error{.code = ErrorCode::kConflict,
                    .message = "The value is taken.",
                    .field = constraint_column(error.get_error_message())}};
    case SQLITE_FULL:
      return {unavailable("The disk is full" + where)};
    case SQLITE_READONLY:
      return {unavailable("The database is read-only" + where)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {unavailable("Another process has locked the database" + where)};
    // After a failed write or sync nothing that this session believes about the file is certain.
    case SQLITE_IOERR:
      return {unavailable("The database's disk failed" + where), true};
    case SQLITE_CORRUPT:
      return {unavailable("The database is damaged" + where), true};
    case SQLITE_NOTADB:
      return {unavailable("The file is not a SQLite database" + where), true};
    case SQLITE_CANTOPEN:
      return {unavailable("The database cannot be opened" + where), true};
    default:
      break;
  }
  return {
      Error{ErrorCode::kInternal, "The database failed with SQLite code " + std::to_string(sqlite->result()) + "."}};
}

Result<void> SqliteBackend::copy_to(const std::string& path) {
  if (fs::exists(path)) return unavailable("The copy's file exists already (" + path + ").");
  const std::string partial = path + ".tmp";
  std::error_code ignored;
  fs::remove(partial, ignored);
  create_private_file(partial);
  // A session of its own: SQLite refuses to copy from one that is inside a write transaction.
  const auto source = connect();
  sqlite3* target = nullptr;
  int result = sqlite_api::sqlite3_open(partial.c_str(), &target);
  if (result == SQLITE_OK) {
    auto* copy = sqlite_api::sqlite3_backup_init(target, "main", handle_of(*source), "main");
    if (copy != nullptr) sqlite_api::sqlite3_backup_step(copy, -1);
    if (copy != nullptr) sqlite_api::sqlite3_backup_finish(copy);
    result = sqlite_api::sqlite3_errcode(target);
  }
  sqlite_api::sqlite3_close(target);
  if (result == SQLITE_OK && sync_and_rename(partial, path)) return {};
  fs::remove(partial, ignored);
  return unavailable("The copy of the database could not be written (" + path + ").");
}

Result<std::string> SqliteBackend::keep_copy(std::string_view reason) {
  const std::string base = path_ + ".bak-" + std::string(reason);
  const std::string fresh = base + ".new";
  std::error_code ignored;
  fs::remove(fresh, ignored);
  if (auto copied = copy_to(fresh); !copied) return copied.error();
  std::string name = base;
  for (int number = 2; fs::exists(name); ++number) {
    if (same_database(name, fresh)) {
      fs::remove(fresh, ignored);
      return name;
    }
    name = base + "-" + std::to_string(number);
  }
  if (!sync_and_rename(fresh, name))
    return unavailable("The copy of the database could not be written (" + name + ").");
  return name;
}

void SqliteBackend::forget_old_pages(soci::session& session) { session << "PRAGMA wal_checkpoint(TRUNCATE)"; }

}  // namespace akr
