// backend_address.hpp - reads the addresses of databases and Redis in every spelling that our documentation, the
// original's and the usual clients know.  Pure; nothing is resolved or connected to.
//
// Errors are kInvalid without a field: the caller knows which setting it was.  Their message is a reason with a remedy,
// and repeats nothing of the text, which may hold a password anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/database_address.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace akr {

// Redis.
struct ServerAddress {
  std::string host;  // name, or IP address without brackets
  std::uint16_t port = 0;
  std::string user;
  Secret password;
  std::string database;  // the number, "" = 0
  bool tls = false;
};

// What an address says; empty texts, port 0 and no `tls`: it leaves that to others.
struct DatabaseUrl {
  DatabaseAddress says;
  std::optional<DatabaseTls> tls;
};

//   sqlite:PATH  sqlite3:PATH  sqlite://PATH  file:PATH
//   SCHEME://[USER[:PASSWORD]@][HOST[:PORT]][/NAME][?OPTIONS]       percent-encoded; the schemes are the words of
//                                                                   database_kinds.hpp, also jdbc:SCHEME, SCHEME+DRIVER
//   [mysql://][USER[:PASSWORD]@]tcp(HOST[:PORT])/NAME[?OPTIONS]     as Go's driver writes it, nothing encoded before
//                                                                   '?'; also unix(/path)
// A HOST that is a path names a socket, percent-encoded or as an option (database_options.hpp); options win over what
// stands before them.
Result<DatabaseUrl> parse_database_url(std::string_view url);

// With the kind's usual port and user where none is said.  A CA that is named is used: it turns an unsaid TLS mode and
// "require" into verify-ca, as with MySQL's and PostgreSQL's own clients.  kInvalid: no host or no database is said, or
// of certificate and key only one.
Result<DatabaseAddress> complete_address(DatabaseUrl url);

// "mysql://user@host:3306/name", "sqlite:PATH": for logs and people, and what parse_database_url() would read.
std::string without_password(const DatabaseAddress& address);

// A host name, an IP address without brackets, or an absolute path.
bool is_database_host(std::string_view text);

// redis[s]://[[USER]:PASSWORD@]HOST[:PORT][/NUMBER]
std::optional<ServerAddress> parse_redis_url(std::string_view url);

}  // namespace akr
