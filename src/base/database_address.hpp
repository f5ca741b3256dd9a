// database_address.hpp - where a database is and how it is reached, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/database_kinds.hpp"
#include "base/secret.hpp"

namespace akr {

struct DatabaseServer {
  std::string host;  // name, IP address without brackets, or an absolute path: of a socket (MySQL), of its directory
                     // (PostgreSQL)
  std::uint16_t port = 0;
  std::string user;
  Secret password;
  std::string database;
  DatabaseTls tls = DatabaseTls::kPrefer;
  std::string ca_file;              // "": the system's CAs
  std::string cert_file, key_file;  // what we show of ourselves; "": nothing
};

struct DatabaseAddress {
  DatabaseKind kind = DatabaseKind::kUnset;
  std::string file;       // kSqlite
  DatabaseServer server;  // the others
};

inline DatabaseAddress sqlite_file(std::string path) {
  return {.kind = DatabaseKind::kSqlite, .file = std::move(path), .server = {}};
}

}  // namespace akr
