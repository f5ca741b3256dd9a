#include "store/sqlite/database_files.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

namespace akr {
namespace {

namespace fs = std::filesystem;
using sqlite_api::sqlite3;

constexpr std::array<std::string_view, 3> kCompanions = {"-wal", "-shm", "-journal"};
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr std::size_t kFilesToLookAt = 10'000;  // a directory that somebody else fills must not hold up the start

// Where SQLite puts the companions: beside the file itself, not beside a link to it.
std::string real_path(const std::string& path) {
  std::error_code failure;
  const fs::path real = fs::canonical(path, failure);
  return failure ? path : real.string();
}

bool has_companion_name(std::string_view name) {
  for (const std::string_view companion : kCompanions) {
    if (name.ends_with(companion)) return true;
  }
  return false;
}

bool is_unfinished(std::string_view name) { return name.ends_with(".new") || name.ends_with(".tmp"); }

bool is_database(const fs::path& file) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::array<char, 16> head = {};
  std::ifstream in(file, std::ios::binary);
  return in.read(head.data(), head.size()) && std::string_view(head.data(), head.size()) == kMagic;
}

// Regular files in the directory of `path` but the database itself, under whatever name: to open and close that one
// would drop the locks that SQLite holds for this process.
std::vector<fs::path> neighbours(const std::string& path) {
  std::vector<fs::path> found;
  struct stat own = {};
  ::stat(path.c_str(), &own);
  std::error_code failure;
  fs::path directory = fs::path(path).parent_path();
  if (directory.empty()) directory = ".";
  for (fs::directory_iterator at(directory, failure), end; !failure && at != end; at.increment(failure)) {
    struct stat facts = {};
    if (::stat(at->path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    if (facts.st_ino == own.st_ino && facts.st_dev == own.st_dev) continue;
    found.push_back(at->path());
    if (found.size() == kFilesToLookAt) break;
  }
  return found;
}

std::vector<fs::path> copies_and_leftovers(const std::string& path) {
  const std::string prefix = fs::path(path).filename().string() + ".bak-";
  std::vector<fs::path> found = neighbours(path);
  std::erase_if(found, [&](const fs::path& file) { return !file.filename().string().starts_with(prefix); });
  return found;
}

bool is_private(const std::string& file) {
  struct stat facts = {};
  if (::stat(file.c_str(), &facts) != 0 || (facts.st_mode & kOthers) == 0) return true;
  return ::chmod(file.c_str(), facts.st_mode & ~kOthers & 07777) == 0;
}

// `path` in a URI that SQLite takes apart again.
std::string read_only_uri(const fs::path& file) {
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr char kDigits[] = "0123456789ABCDEF";
      uri += {'%', kDigits[(c >> 4) & 15], kDigits[c & 15]};
    } else {
      uri += c;
    }
  }
  return uri + "?mode=ro&immutable=1";  // immutable: no lock, no -wal, no -shm
}

// The first column of the first row; false too if the question cannot be asked of this database.
bool asks_true(sqlite3* database, const char* question) {
  sqlite_api::sqlite3_stmt* statement = nullptr;
  bool answer = false;
  if (sqlite_api::sqlite3_prepare_v2(database, question, -1, &statement, nullptr) == SQLITE_OK) {
    answer = sqlite_api::sqlite3_step(statement) == SQLITE_ROW && sqlite_api::sqlite3_column_int(statement, 0) != 0;
  }
  sqlite_api::sqlite3_finalize(statement);
  return answer;
}

bool holds_plain_keys(const fs::path& file) {
  sqlite3* database = nullptr;
  bool plain = false;
  constexpr int kFlags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  if (sqlite_api::sqlite3_open_v2(read_only_uri(file).c_str(), &database, kFlags, nullptr) == SQLITE_OK) {
    const bool ours =
        asks_true(database, "SELECT count(*) FROM pragma_table_info('api_keys') WHERE name = 'key_version'");
    plain = asks_true(database, ours ? "SELECT count(*) FROM api_keys WHERE key_version = 0 AND trim(key_value) <> ''"
                                     : "SELECT count(*) FROM api_keys WHERE trim(key_value) <> ''");
  }
  sqlite_api::sqlite3_close(database);
  return plain;
}

}  // namespace

StorageMark identify_database(const std::string& path) {
  StorageMark mark;
  const std::string real = real_path(path);
  std::size_t at = 0;
  for (const std::string& file : {real, real + "-wal", real + "-shm"}) {
    struct stat facts = {};
    if (::stat(file.c_str(), &facts) == 0) mark.files[at] = {facts.st_dev, facts.st_ino};
    ++at;
  }
  return mark;
}

std::vector<std::string> make_private(const std::string& path) {
  std::vector<std::string> open_to_others;
  const std::string real = real_path(path);
  std::vector<std::string> files = {real};
  for (const std::string_view companion : kCompanions) files.push_back(real + std::string(companion));
  for (const fs::path& copy : copies_and_leftovers(path)) files.push_back(copy.string());
  for (const std::string& file : files) {
    if (!is_private(file)) open_to_others.push_back(file);
  }
  return open_to_others;
}

std::vector<std::string> kept_copies(const std::string& path) {
  std::vector<std::string> copies;
  for (const fs::path& file : copies_and_leftovers(path)) {
    const std::string name = file.filename().string();
    if (!has_companion_name(name) && !is_unfinished(name) && is_database(file)) copies.push_back(file.string());
  }
  return copies;
}

void remove_leftovers(const std::string& path) {
  std::error_code ignored;
  for (const fs::path& file : copies_and_leftovers(path)) {
    if (is_unfinished(file.filename().string())) fs::remove(file, ignored);
  }
  fs::remove(real_path(path) + "-journal", ignored);
}

std::vector<std::string> databases_with_plain_keys(const std::string& path) {
  std::vector<std::string> found;
  for (const fs::path& file : neighbours(path)) {
    if (is_database(file) && holds_plain_keys(file)) found.push_back(file.string());
  }
  return found;
}

}  // namespace akr
