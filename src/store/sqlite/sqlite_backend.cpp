#include "store/sqlite/sqlite_backend.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sqlite/database_files.hpp"
#include "store/sqlite/file_copy.hpp"

namespace akr {
namespace {

namespace fs = std::filesystem;
using sqlite_api::sqlite3;

sqlite3* handle_of(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

Error unavailable(const std::string& message) { return Error{ErrorCode::kStoreUnavailable, message}; }

// The database was there, and is not any more or is another one.
class StorageLost final : public soci::soci_error {
 public:
  using soci::soci_error::soci_error;
};

// Created by us first, because SQLite would make it readable for everybody.  Never opened if it exists: the close would
// drop the locks that SQLite holds for this process.
void create_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
    return;
  }
  if (errno == EEXIST) return;
  throw soci::sqlite3_soci_error(std::string("cannot open the database: ") + std::strerror(errno), SQLITE_CANTOPEN);
}

// Each session is used by one thread at a time, so that SQLite need not lock for each of its steps.
void leave_locking_to_us() {
  static const int kDone = sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
  static_cast<void>(kDone);  // refused where somebody used SQLite before: it locks then
}

std::unique_ptr<soci::session> open_session(const std::string& path) {
  leave_locking_to_us();
  if (path.find('"') != std::string::npos) {
    throw soci::sqlite3_soci_error("a quote in the path is not supported", SQLITE_CANTOPEN);
  }
  auto session = std::make_unique<soci::session>(*soci::factory_sqlite3(), "dbname=\"" + path + "\"");
  sqlite_api::sqlite3_extended_result_codes(handle_of(*session), 1);
  sqlite_api::sqlite3_busy_timeout(handle_of(*session), 5000);
  // First of all: what is replaced from here on is zeroed.
  for (const char* pragma : {"PRAGMA secure_delete = ON", "PRAGMA trusted_schema = OFF"}) run(*session, pragma);
  return session;
}

// A process that may not write larger files meets that limit as a failing disk.
std::string file_size_limit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return "";
  return " This process may not make files larger than " + std::to_string(limit.rlim_cur) +
         " bytes (RLIMIT_FSIZE, ulimit -f): raise that limit.";
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

bool write_compact(soci::session& source, const std::string& path) {
  try {
    run(source, "VACUUM INTO :path", soci::use(path));
    return true;
  } catch (const soci::soci_error&) {
    return false;
  }
}

bool copy_pages(sqlite3* source, const std::string& path) {
  sqlite3* target = nullptr;
  int result = sqlite_api::sqlite3_open(path.c_str(), &target);
  if (result == SQLITE_OK) {
    auto* copy = sqlite_api::sqlite3_backup_init(target, "main", source, "main");
    if (copy != nullptr) sqlite_api::sqlite3_backup_step(copy, -1);
    if (copy != nullptr) sqlite_api::sqlite3_backup_finish(copy);
    result = sqlite_api::sqlite3_errcode(target);
  }
  sqlite_api::sqlite3_close(target);
  return result == SQLITE_OK;
}

}  // namespace

const Dialect& SqliteBackend::dialect() const {
  static const Dialect kWords{
      .auto_id = "integer PRIMARY KEY AUTOINCREMENT",
      .integer = "integer",
      .flag = "numeric DEFAULT true",
      .time = "datetime",
      .text = "text",
      .name = "text",
      .word = "text",
      .table_end = "",
      .table_exists = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :table",
      .table_names = "SELECT name FROM sqlite_master WHERE type = 'table'",
      .column_names = "SELECT name FROM pragma_table_info(:table)",
      .index_exists = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND name = :name",
      .last_id = "SELECT last_insert_rowid()",
      .begin_write = "BEGIN IMMEDIATE",
  };
  return kWords;
}

std::unique_ptr<soci::session> SqliteBackend::connect(const SessionPatience&) {
  refuse_another_file();
  create_private_file(path_);
  tell_open_files();
  auto session = open_session(path_);
  // An import of 100,000 keys touches the 9 MiB of the index over their hashes at random: they must find room in memory
  // until the commit (else each page is written several times), and not every such commit may have to copy the log into
  // the database.
  for (const char* pragma : {"PRAGMA cache_size = -16384", "PRAGMA wal_autocheckpoint = 4000",
                             "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"}) {
    run(*session, pragma);
  }
  int tables = 0;  // the first read is what makes SQLite open -wal and -shm
  run(*session, "SELECT count(*) FROM sqlite_master", soci::into(tables));
  const StorageMark now = storage_mark();
  const MutexLock lock(mutex_);
  if (first_.files[0] == StorageMark::File{}) first_.files[0] = now.files[0];
  return session;
}

// A new session on another file, or on a new and empty one, would take writes that fit nothing we know.
void SqliteBackend::refuse_another_file() {
  const StorageMark now = storage_mark();
  const MutexLock lock(mutex_);
  if (!first_.holds_in(now)) throw StorageLost("the database was deleted or replaced");
}

void SqliteBackend::tell_open_files() {
  const std::vector<std::string> open_to_others = make_private(path_);
  const MutexLock lock(mutex_);
  if (open_to_others.empty() || told_) return;
  told_ = true;
  std::string names;
  for (const std::string& file : open_to_others) names += (names.empty() ? "" : ", ") + file;
  log_warn("files_open_to_others", {{"files", names},
                                    {"message",
                                     "other users may read these files, and their mode cannot be changed from "
                                     "here; make them the gateway's own and chmod 600 them"}});
}

bool SqliteBackend::undo(soci::session& session) noexcept {
  sqlite3* handle = handle_of(session);
  if (sqlite_api::sqlite3_get_autocommit(handle) == 0) {
    sqlite_api::sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return sqlite_api::sqlite3_get_autocommit(handle) != 0;
}

SqlFailure SqliteBackend::explain(const soci::soci_error& error) const {
  if (dynamic_cast<const StorageLost*>(&error) != nullptr) return {storage_lost(), true, true};
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
      return {unavailable("The database's disk failed" + where + file_size_limit()), true};
    case SQLITE_CORRUPT:
      return {unavailable("The database is damaged" + where), true};
    case SQLITE_NOTADB:
      return {unavailable("The file is not a SQLite database" + where), true};
    case SQLITE_NOMEM:
      return {unavailable("There is no memory left for the database" + where), true};
    case SQLITE_CANTOPEN:
      return {unavailable("The database cannot be opened" + where), true};
    default:
      break;
  }
  const std::string number = std::to_string(sqlite->result());
  return {Error{ErrorCode::kInternal, "The database failed with SQLite code " + number + "."}, true};
}

Result<void> SqliteBackend::copy_to(const std::string& path) {
  if (fs::exists(path)) return unavailable("The copy's file exists already (" + path + ").");
  const std::string partial = path + ".tmp";
  std::error_code ignored;
  fs::remove(partial, ignored);
  create_private_file(partial);
  // A session of its own: SQLite refuses to copy from one that is inside a write transaction.
  const auto source = connect();
  // Only the live rows, each page written anew.  A damaged database cannot be read row by row: page by page it can.
  const bool written = write_compact(*source, partial) || copy_pages(handle_of(*source), partial);
  if (written && sync_and_rename(partial, path)) return {};
  fs::remove(partial, ignored);
  return unavailable("The copy of the database could not be written (" + path + ").");
}

Result<std::string> SqliteBackend::keep_copy(soci::session&, std::string_view reason) {
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

Result<void> SqliteBackend::scrub(soci::session& session, const std::string&) {
  run(session, "PRAGMA temp_store = MEMORY");  // what VACUUM puts together goes into no other file
  run(session, "VACUUM");
  int busy = 0, frames = 0, moved = 0;
  run(session, "PRAGMA wal_checkpoint(TRUNCATE)", soci::into(busy), soci::into(frames), soci::into(moved));
  if (busy != 0) return unavailable("Another process reads the database, so its old pages cannot be removed yet.");
  remove_leftovers(path_);
  return {};
}

std::vector<std::string> SqliteBackend::kept_copies(soci::session&) { return akr::kept_copies(path_); }

OpenedCopy SqliteBackend::open_copy(const std::string& path) { return {open_session(path), ""}; }

std::vector<std::string> SqliteBackend::plain_neighbours() { return databases_with_plain_keys(path_); }

StorageMark SqliteBackend::storage_mark() const { return identify_database(path_); }

Error SqliteBackend::storage_lost() const {
  return unavailable("The database file was deleted or replaced while the gateway runs (" + path_ +
                     "); nothing is written any more. Put the same files back, or restart with the right ones.");
}

bool SqliteBackend::storage_full() const {
  struct statvfs room = {};
  std::error_code failure;
  const fs::path real = fs::canonical(path_, failure);
  if (failure || ::statvfs(real.c_str(), &room) != 0 || room.f_blocks == 0) return false;
  return (::geteuid() == 0 ? room.f_bfree : room.f_bavail) == 0;
}

}  // namespace akr
