#include "store/mysql/mysql_errors.hpp"

#include <string_view>

#include <soci/mysql/soci-mysql.h>

#include "store/sql/server_words.hpp"

namespace akr {
namespace {

// "Duplicate entry 'a' for key 'idx_proxy_configs_slug'" (MySQL: 'proxy_configs.idx_proxy_configs_slug').
std::string conflict_column(std::string_view message) {
  for (const std::string_view column : {"slug", "name"}) {
    if (message.ends_with("idx_proxy_configs_" + std::string(column) + "'")) return std::string(column);
  }
  return "";
}

// libmariadb has one number for all that TLS can fail for, and OpenSSL's words.  A server may just be going: what is
// not known to be wrong may pass.
SqlFailure explain_tls(std::string_view message, const DatabaseServer& server, const std::string& where) {
  const auto has = [message](std::string_view word) { return message.find(word) != std::string_view::npos; };
  if (has("not support") || has("required")) {
    return {
        refused(where + ": the server offers no TLS; turn it on there, or ask for less with sslmode=disable.", "tls")};
  }
  // OpenSSL's word for what the other side says of us.
  if (has("alert")) {
    return {refused(where + " takes no connection with our certificate, or without one; name one that its CA signed "
                            "(sslcert, DB_SSL_CERT).",
                    "tls")};
  }
  if (has("certificate") || has("self") || has("issuer") || has("ostname") || has("host name") || has("alidation")) {
    return {refused(where + ": its certificate is not one that " +
                        (server.ca_file.empty() ? std::string("the system's CAs") : "the CA file " + server.ca_file) +
                        " signed for this host; name the right CA file (sslrootcert, DB_SSL_CA) and host.",
                    "tls")};
  }
  return {unavailable(where + " ended the connection while TLS was agreed on.")};
}

SqlFailure explain_connection(unsigned number, std::string_view message, const DatabaseServer& server,
                              const std::string& where) {
  const std::string user = "\"" + server.user + "\"";
  switch (number) {
    case 1044:  // ER_DBACCESS_DENIED_ERROR
      return {refused(where + " gives the user " + user + " no right to the database \"" + server.database +
                          "\"; grant it (docs: databases), or name another one.",
                      "database")};
    case 1045:  // ER_ACCESS_DENIED_ERROR
    case 1698:  // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
      return {refused(where + " refuses the user " + user + " or the password; correct them.", "password")};
    case 1049:  // ER_BAD_DB_ERROR
      return {
          refused(where + " has no database \"" + server.database + "\"; create it, or correct the name.", "database")};
    case 1130:  // ER_HOST_NOT_PRIVILEGED
      return {refused(
          where + " lets no user in from this host; create the user for it (CREATE USER " + server.user + "@'%').",
          "user")};
    case 1040:  // ER_CON_COUNT_ERROR
    case 1203:  // ER_TOO_MANY_USER_CONNECTIONS
    case 1226:  // ER_USER_LIMIT_REACHED
      return {unavailable(where + " has no connection left; raise max_connections, or lower DB_POOL_SIZE.")};
    case 1820:  // ER_MUST_CHANGE_PASSWORD
    case 1862:  // ER_MUST_CHANGE_PASSWORD_LOGIN
    case 3118:  // ER_ACCOUNT_HAS_BEEN_LOCKED
    case 4151:  // MariaDB's
      return {refused(where + " has locked the user " + user + " or wants another password of it.", "user")};
    case 2058:  // CR_PLUGIN_NOT_ALLOWED
    case 2059:  // CR_AUTH_PLUGIN_CANNOT_LOAD
    case 2061:  // CR_AUTH_PLUGIN_ERR
    case 1251:  // ER_NOT_SUPPORTED_AUTH_MODE
      return {
          refused(where + " wants a kind of log-in of the user " + user +
                      " that this machine lacks (caching_sha2_password needs the plug-in of libmariadb3); install it, "
                      "or use mysql_native_password.",
                  "user")};
    case 5010:  // CR_ERR_UNSUPPORTED_BY_RESTRICTED_AUTH, libmariadb's own
      return {refused(where + " asks for the password of the user " + user +
                          " itself, which only a server gets whose certificate is checked; use sslmode=verify-full, or "
                          "another kind of log-in.",
                      "tls")};
    case 2026:  // CR_SSL_CONNECTION_ERROR
      return explain_tls(message, server, where);
    case 2005:  // CR_UNKNOWN_HOST
      return {unavailable(where + ": there is no such host; correct its name.")};
    default:
      return {unavailable(where + " cannot be reached; is it running, and is the address right?")};
  }
}

SqlFailure explain_statement(unsigned number, std::string_view message, const DatabaseServer& server,
                             const std::string& where) {
  switch (number) {
    case 1062:  // ER_DUP_ENTRY
    case 1586:  // ER_DUP_ENTRY_WITH_KEY_NAME
      return {Error{.code = ErrorCode::kConflict, .message = "The value is taken.", .field = conflict_column(message)}};
    case 1213:  // ER_LOCK_DEADLOCK
    case 1020:  // ER_CHECKREAD
      return {.error = unavailable(where + " broke the transaction off for another one, several times; try again."),
              .passes = true};
    case 1205:  // ER_LOCK_WAIT_TIMEOUT
      return {unavailable(where + ": another transaction holds the row; try again.")};
    case 1021:  // ER_DISK_FULL
    case 1114:  // ER_RECORD_FILE_FULL
    case 3:     // EE_WRITE
    case 28:
      return {unavailable("The disk of " + where + " is full.")};
    case 1290:  // ER_OPTION_PREVENTS_STATEMENT
    case 1792:  // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
    case 1836:  // ER_READ_ONLY_MODE
      // The session goes with it: it may lead to what was the primary once.
      return {unavailable(where + " takes no writes (it is read-only, or a replica)."), true};
    case 1142:  // ER_TABLEACCESS_DENIED_ERROR
    case 1143:  // ER_COLUMNACCESS_DENIED_ERROR
    case 1227:  // ER_SPECIFIC_ACCESS_DENIED_ERROR
    case 1370:  // ER_PROCACCESS_DENIED_ERROR
      return {refused(where + " gives the user \"" + server.user +
                          "\" too few rights; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, "
                          "REFERENCES ON " +
                          server.database + ".* TO it.",
                      "user")};
    case 1153:  // ER_NET_PACKET_TOO_LARGE
      return {.error = refused(where + " takes no statement of that length; raise max_allowed_packet to 16M.", ""),
              .reconnect = true};
    case 1665:  // ER_BINLOG_STMT_MODE_AND_ROW_ENGINE
      return {refused(where + " logs by statement; set binlog_format to ROW or MIXED.", "")};
    case 1366:  // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
    case 1406:  // ER_DATA_TOO_LONG
      return {
          Error{.code = ErrorCode::kInvalid, .message = "The database cannot hold a value of that form or length."}};
    default:
      return {Error{ErrorCode::kInternal, where + " failed with error " + std::to_string(number) + "."}, true};
  }
}

// The connection is gone: cut, timed out, or the server is ending.
bool is_lost(unsigned number) {
  for (const unsigned each :
       {1047U, 2006U, 2013U, 2014U, 2055U, 1053U, 1077U, 1927U, 1317U, 3169U, 4031U, 1159U, 1161U}) {
    if (number == each) return true;
  }
  return false;
}

bool is_about_connecting(unsigned number) {
  for (const unsigned each :
       {1040U, 1044U, 1045U, 1049U, 1130U, 1203U, 1226U, 1251U, 1698U, 1820U, 1862U, 3118U, 4151U, 5010U}) {
    if (number == each) return true;
  }
  return number >= 2000 && number < 3000 && !is_lost(number);
}

}  // namespace

SqlFailure explain_mysql(const soci::soci_error& error, const DatabaseServer& server, const std::string& where) {
  if (dynamic_cast<const NoTls*>(&error) != nullptr) {
    return {
        refused(where + ": the server offers no TLS; turn it on there, or ask for less with sslmode=disable.", "tls"),
        true};
  }
  const auto* mysql = dynamic_cast<const soci::mysql_soci_error*>(&error);
  if (mysql == nullptr) return {Error{ErrorCode::kInternal, where + " could not carry out the operation."}, true};
  const unsigned number = mysql->err_num_;
  const std::string message = error.get_error_message();
  if (number == 0) return {refused(where + ": " + message + ".", "")};
  if (is_lost(number)) {
    return {.error = unavailable(where + " cut the connection, or did not answer; is it running?"),
            .reconnect = true,
            .passes = true};
  }
  if (is_about_connecting(number)) {
    SqlFailure what = explain_connection(number, message, server, where);
    what.reconnect = true;
    return what;
  }
  return explain_statement(number, message, server, where);
}

}  // namespace akr
