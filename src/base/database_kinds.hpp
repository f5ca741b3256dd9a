// database_kinds.hpp - THE list of databases: what people write for each, and where it listens unless they say so.
//
// One row per kind.  How a kind is opened stands in store/open.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace akr {

enum class DatabaseKind { kUnset, kSqlite, kMysql, kPostgresql };

struct DatabaseKindRow {
  DatabaseKind kind;
  std::string_view title;                 // as its makers write it
  std::array<std::string_view, 2> words;  // of DB_TYPE, and the schemes of DATABASE_URL; the first is ours
  std::uint16_t default_port;             // 0: no server
};

inline constexpr std::array kDatabaseKinds = {
    DatabaseKindRow{DatabaseKind::kSqlite, "SQLite", {"sqlite", "sqlite3"}, 0},
    DatabaseKindRow{DatabaseKind::kMysql, "MySQL", {"mysql", "mariadb"}, 3306},
    DatabaseKindRow{DatabaseKind::kPostgresql, "PostgreSQL", {"postgresql", "postgres"}, 5432},
};

// REQUIRES: not kUnset.
constexpr const DatabaseKindRow& row_of(DatabaseKind kind) {
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    if (row.kind == kind) return row;
  }
  return kDatabaseKinds.front();
}

constexpr bool is_server(DatabaseKind kind) { return kind != DatabaseKind::kUnset && row_of(kind).default_port != 0; }

}  // namespace akr
