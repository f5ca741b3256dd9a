// server_words.hpp - what the backends of servers say alike: to their drivers, and to people.
#pragma once

#include <string>
#include <string_view>

#include "base/database_address.hpp"
#include "base/error.hpp"

namespace akr {

// As SOCI's MySQL backend and libpq read a value of a connection string.
inline std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// "db:3306", "[::1]:3306", or the path of a socket.
inline std::string address_text(const DatabaseServer& server) {
  if (server.host.starts_with('/')) return server.host;
  const bool is_v6 = server.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

// Our own messages end with the remedy; a server's texts may hold values, and are in its language.  `field`: host,
// user, password, database or tls, whichever setting is to blame.
inline Error refused(std::string message, std::string field) {
  return {.code = ErrorCode::kStoreRefused, .message = std::move(message), .field = std::move(field)};
}

inline Error unavailable(std::string message) { return {ErrorCode::kStoreUnavailable, std::move(message)}; }

}  // namespace akr
