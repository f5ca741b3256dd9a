#include "store/postgresql/postgresql_errors.hpp"

#include <string_view>

#include <soci/postgresql/soci-postgresql.h>

#include "store/postgresql/no_connection.hpp"
#include "store/sql/server_words.hpp"

namespace akr {
namespace {

bool has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

// libpq's own words, which are English where no translation is installed; the names of files and of SSL stay anyway.
SqlFailure explain_silence(std::string_view message, const DatabaseServer& server, const std::string& where) {
  if (has(message, "does not support SSL")) {
    return {
        refused(where + ": the server offers no TLS; turn it on there, or ask for less with sslmode=disable.", "tls")};
  }
  // OpenSSL's word for what the other side says of us.
  if (has(message, "alert")) {
    return {refused(where + " takes no connection with our certificate, or without one; name one that its CA signed "
                            "(sslcert, DB_SSL_CERT).",
                    "tls")};
  }
  // Not for whatever happens while TLS is agreed on: a server may just be going.
  if (has(message, "certificate")) {
    return {refused(where + ": its certificate is not one that " +
                        (server.ca_file.empty() ? std::string("the system's CAs") : "the CA file " + server.ca_file) +
                        " signed for this host; name the right CA file (sslrootcert, DB_SSL_CA) and host.",
                    "tls")};
  }
  if (has(message, "translate host name")) return {unavailable(where + ": there is no such host; correct its name.")};
  if (has(message, "SCRAM")) {
    return {refused(where + " asks for a log-in that the password does not fit; correct it.", "password")};
  }
  return {unavailable(where + " cannot be reached; is it running, and is the address right?")};
}

SqlFailure explain_connection(const NoConnection& error, const DatabaseServer& server, const std::string& where) {
  const std::string& state = error.state();
  const std::string message = error.get_error_message();
  if (state == "28P01") {
    return {refused(where + " refuses the user \"" + server.user + "\" or the password; correct them.", "password")};
  }
  if (state == "28000") {
    // pg_hba.conf also says so where it lets this user in with TLS only.
    return {refused(where + " lets the user \"" + server.user +
                        "\" not in from this host; correct the user, or add a line to pg_hba.conf (or ask for TLS: "
                        "sslmode=require).",
                    "user")};
  }
  if (state == "3D000") {
    return {
        refused(where + " has no database \"" + server.database + "\"; create it, or correct the name.", "database")};
  }
  if (state == "42501") {
    return {refused(where + " gives the user \"" + server.user + "\" no right to the database \"" + server.database +
                        "\"; GRANT CONNECT, CREATE ON DATABASE to it.",
                    "database")};
  }
  if (state == "53300") {
    return {unavailable(where + " has no connection left; raise max_connections, or lower DB_POOL_SIZE.")};
  }
  if (state == "0A000" || state == "08P01") {
    return {refused(where + " speaks no protocol that this version knows; upgrade the server.", "host")};
  }
  if (!state.empty()) {
    return {unavailable(where + " is starting or ending, or takes no connection now (SQLSTATE " + state + ").")};
  }
  return explain_silence(message, server, where);
}

// "duplicate key value violates unique constraint "idx_proxy_configs_slug"" in any language.
std::string conflict_column(std::string_view message) {
  for (const std::string_view column : {"slug", "name"}) {
    if (has(message, "idx_proxy_configs_" + std::string(column) + "\"")) return std::string(column);
  }
  return "";
}

SqlFailure explain_state(const std::string& state, std::string_view message, const DatabaseServer& server,
                         const std::string& where) {
  const std::string_view group = std::string_view(state).substr(0, 2);
  if (state == "23505") {
    return {Error{.code = ErrorCode::kConflict, .message = "The value is taken.", .field = conflict_column(message)}};
  }
  if (group == "40") {
    return {.error = unavailable(where + " broke the transaction off for another one, several times; try again."),
            .passes = true};
  }
  // 57P0x: an administrator or the server's end; 57P05: idle for too long.
  if (group == "08" || group == "57" || group == "  " || state.empty()) {
    const bool was_cancelled = state == "57014";
    return {.error = unavailable(where + (was_cancelled ? " did not finish a statement in time."
                                                        : " cut the connection, or did not answer; is it running?")),
            .reconnect = !was_cancelled,
            .passes = !was_cancelled};
  }
  if (state == "55P03") return {unavailable(where + ": another transaction holds the row; try again.")};
  if (state == "53100") return {unavailable("The disk of " + where + " is full.")};
  if (group == "53") return {unavailable(where + " lacks memory or connections (SQLSTATE " + state + ").")};
  if (group == "58" || state == "XX001") return {unavailable("The disk of " + where + " failed."), true};
  if (state == "25006") {
    // The setting may be the session's own: it took what held for the database when it began.
    return {.error = unavailable(where + " takes no writes (it is read-only, or a replica)."),
            .reconnect = true,
            .passes = true};
  }
  if (group == "25")
    return {.error = unavailable(where + " ended the transaction."), .reconnect = true, .passes = true};
  if (state == "42501" || state == "3F000") {
    return {refused(
        where + " gives the user \"" + server.user +
            "\" too few rights; make it the owner of the database, or GRANT USAGE, CREATE ON its SCHEMA and SELECT, "
            "INSERT, UPDATE, DELETE ON ALL TABLES IN it.",
        "user")};
  }
  if (group == "22") {
    return {Error{.code = ErrorCode::kInvalid, .message = "The database cannot hold a value of that form or length."}};
  }
  return {Error{ErrorCode::kInternal, where + " failed with SQLSTATE " + state + "."}, true};
}

}  // namespace

SqlFailure explain_postgresql(const soci::soci_error& error, const DatabaseServer& server, const std::string& where) {
  if (const auto* missing = dynamic_cast<const NoConnection*>(&error)) {
    SqlFailure what = explain_connection(*missing, server, where);
    what.reconnect = true;
    what.passes = missing->passed();
    return what;
  }
  const auto* known = dynamic_cast<const soci::postgresql_soci_error*>(&error);
  if (known == nullptr) {
    // What SOCI cannot convert is no fault of the server's.  It has no state where the connection broke, either.
    const std::string message = error.get_error_message();
    if (has(message, "Null value") || has(message, "onver")) {
      return {Error{ErrorCode::kInternal, where + " holds a value of an unexpected form."}};
    }
    return {.error = unavailable(where + " cut the connection, or did not answer; is it running?"),
            .reconnect = true,
            .passes = true};
  }
  return explain_state(known->sqlstate(), error.get_error_message(), server, where);
}

}  // namespace akr
