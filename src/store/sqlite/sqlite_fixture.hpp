// sqlite_fixture.hpp - for tests: a SQLite database in a directory of its own, and a raw way in beside the store.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "store/open.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {

inline const Secret kTestKey("0123456789abcdef0123456789abcdef");

class SqliteFixture {
 public:
  std::string path() const { return directory_.file("test.db"); }
  const TempDir& directory() const { return directory_; }

  StoreOptions options() const { return {.at = sqlite_file(path()), .encryption_key = kTestKey, .clock = &clock_}; }
  std::unique_ptr<Database> open() { return open_database(options()).value(); }

  // Runs SQL on the file as any other program could; the first column of the first row, or "".
  std::string sql(const std::string& text) const {
    sqlite3* raw = nullptr;
    std::string answer;
    char* failure = nullptr;
    sqlite3_open(path().c_str(), &raw);
    const auto take_first = [](void* out, int, char** values, char**) {
      auto& first = *static_cast<std::string*>(out);
      if (first.empty() && values[0] != nullptr) first = values[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(raw, text.c_str(), take_first, &answer, &failure), SQLITE_OK) << failure;
    sqlite3_free(failure);
    sqlite3_close(raw);
    return answer;
  }

  static std::string content(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  ManualClock clock_;

 private:
  TempDir directory_;
};

}  // namespace akr
