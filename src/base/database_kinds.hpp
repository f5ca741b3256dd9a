// database_kinds.hpp - THE list of databases: what people write for each, and what is meant where they write nothing.
//
// One row per kind.  How a kind is opened stands in store/open.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace akr {

enum class DatabaseKind { kUnset, kSqlite, kMysql, kPostgresql };

// As libpq's sslmode means them (postgresql.org/docs/15/libpq-ssl.html, table 34.1).
enum class DatabaseTls {
  kDisable,     // never
  kPrefer,      // where the server offers it, whoever it is
  kRequire,     // always, whoever it is
  kVerifyCa,    // always, with a certificate that the CA signed
  kVerifyFull,  // and that names the host
};

// What the users of one kind of server know from its other clients.
struct DatabaseServerWords {
  std::uint16_t port = 0;        // where it listens unless they say so; 0: no server
  std::string_view user;         // its administrator's usual name
  std::string_view tls_options;  // as they write them behind the '?', for messages
  std::string_view tls_modes;
  DatabaseTls ssl_true = DatabaseTls::kVerifyFull;  // what its drivers mean by ssl=true
};

struct DatabaseKindRow {
  DatabaseKind kind;
  std::string_view title;                 // as its makers write it
  std::array<std::string_view, 2> words;  // of DB_TYPE, and the schemes of DATABASE_URL; the first is ours
  DatabaseServerWords server;
};

// In the order of the enumerators.
inline constexpr std::array kDatabaseKinds = {
    DatabaseKindRow{.kind = DatabaseKind::kSqlite, .title = "SQLite", .words = {"sqlite", "sqlite3"}, .server = {}},
    DatabaseKindRow{.kind = DatabaseKind::kMysql,
                    .title = "MySQL",
                    .words = {"mysql", "mariadb"},
                    .server = {.port = 3306,
                               .user = "root",
                               .tls_options = "ssl-mode, ssl-ca, ssl-cert and ssl-key",
                               .tls_modes = "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
                               .ssl_true = DatabaseTls::kRequire}},
    // Its JDBC driver, the one that has the option, means everything by ssl=true.
    DatabaseKindRow{.kind = DatabaseKind::kPostgresql,
                    .title = "PostgreSQL",
                    .words = {"postgresql", "postgres"},
                    .server = {.port = 5432,
                               .user = "postgres",
                               .tls_options = "sslmode, sslrootcert, sslcert and sslkey",
                               .tls_modes = "disable, allow, prefer, require, verify-ca or verify-full",
                               .ssl_true = DatabaseTls::kVerifyFull}},
};

// REQUIRES: not kUnset.
constexpr const DatabaseKindRow& row_of(DatabaseKind kind) {
  return kDatabaseKinds.at(static_cast<std::size_t>(kind) - 1);
}

constexpr bool is_server(DatabaseKind kind) { return kind != DatabaseKind::kUnset && row_of(kind).server.port != 0; }

static_assert(std::ranges::all_of(kDatabaseKinds,
                                  [](const DatabaseKindRow& row) { return &row == &row_of(row.kind); }));
// Nobody's words stand in for those that a row leaves out.
static_assert(std::ranges::all_of(kDatabaseKinds, [](const DatabaseKindRow& row) {
  const DatabaseServerWords& server = row.server;
  return server.port == 0 || !(server.user.empty() || server.tls_options.empty() || server.tls_modes.empty());
}));

}  // namespace akr
