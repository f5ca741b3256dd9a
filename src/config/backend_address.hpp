// backend_address.hpp - reads the addresses of databases and Redis in every spelling that our documentation and the
// original's know.  Pure; nothing is resolved or connected to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "config/settings.hpp"

namespace akr {

struct ServerAddress {
  std::string host;  // name, IP address without brackets, or the path of a Unix socket
  std::uint16_t port = 0;
  std::string user;
  Secret password;
  std::string database;  // Redis: the number, "" = 0
  std::string options;   // what stood behind '?', as written
  bool tls = false;
};

struct DatabaseAddress {
  DatabaseKind kind = DatabaseKind::kUnset;
  std::string file;      // SQLite only
  ServerAddress server;  // the others
};

//   sqlite:PATH  sqlite3:PATH  sqlite://PATH  file:PATH
//   mysql:// mariadb:// postgres:// postgresql://  [USER[:PASSWORD]@]HOST[:PORT]/NAME[?options]     percent-encoded
//   [mysql://][USER[:PASSWORD]@]tcp(HOST[:PORT])/NAME[?options]     as Go's driver writes it, nothing encoded;
//                                                                   also unix(/path)
std::optional<DatabaseAddress> parse_database_url(std::string_view url);

// redis[s]://[[USER]:PASSWORD@]HOST[:PORT][/NUMBER]
std::optional<ServerAddress> parse_redis_url(std::string_view url);

}  // namespace akr
