// database_options.hpp - what stands behind the '?' of a database's address, in the words of the clients that people
// copy it from: libpq, JDBC, Go's driver, MySQL's own.
//
// Names are compared without case, '-' and '_'.  What only concerns other clients (charset, parseTime, loc, timeouts,
// pools, application_name ...) is passed over; what concerns TLS is followed or refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/database_address.hpp"
#include "base/result.hpp"

namespace akr {

// "" and nullopt: not said.
struct DatabaseOptions {
  std::string host;  // also the path of a socket, or of its directory
  std::string port;
  std::string user;
  Secret password;
  std::string database;
  std::optional<DatabaseTls> tls;
  std::string ca_file, cert_file, key_file;
};

// "a=b&c=d", percent-encoded.  kInvalid (no field): a TLS option that is unknown, or says something unknown, or two
// that contradict each other.  The message repeats no value, and no name that is not one of ours: where somebody forgot
// to encode a password, any part of it may have come to stand here.
Result<DatabaseOptions> read_database_options(DatabaseKind kind, std::string_view text);

}  // namespace akr
