#include "store/mysql/mysql_backend.hpp"

#include <algorithm>
#include <array>

#include <soci/mysql/soci-mysql.h>

#include "store/mysql/mysql_errors.hpp"
#include "store/mysql/mysql_words.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/server_words.hpp"

namespace akr {
namespace {

constexpr unsigned kOldestMysql = 80000, kOldestMariadb = 100500;  // major * 10000 + minor * 100 + patch

MYSQL* handle_of(soci::session& session) {
  return static_cast<soci::mysql_session_backend*>(session.get_backend())->conn_;
}

long long whole_seconds(std::chrono::milliseconds time) {
  return std::max<long long>(1, std::chrono::ceil<std::chrono::seconds>(time).count());
}

// SOCI hands the host on as it is, and libmariadb takes one with a ';' for a list of its own options
// (mariadb_connectionstring): the only way to its deadlines and to its check of certificates.
class HostOptions {
 public:
  void add(std::string_view name, std::string_view value) {
    if (value.find_first_of(";{}") != std::string_view::npos) {
      throw soci::mysql_soci_error("a ';', '{' or '}' in " + std::string(name) + " is not supported", 0);
    }
    text_ += std::string(name) + "=" + std::string(value) + ";";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A server may ask for the password itself (mysql_clear_password, dialog), and so may whoever stands in its place: only
// one that has shown a certificate gets it, the others what proves that we know it.
constexpr std::string_view kSafeLogins = "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519";

bool is_verified(const DatabaseServer& server) {
  return server.tls == DatabaseTls::kVerifyCa || server.tls == DatabaseTls::kVerifyFull;
}

void add_tls(HostOptions& options, const DatabaseServer& server) {
  const bool is_socket = server.host.starts_with('/');
  if (server.tls == DatabaseTls::kDisable || (server.tls == DatabaseTls::kPrefer && is_socket)) return;
  // In spite of its name: where the server offers TLS.  Whether there is any, check_tls() sees.
  options.add("ssl-enforce", "1");
  // It cannot check a certificate and not its name: verify-ca is as strict as verify-full here.
  options.add("ssl-verify-server-cert", is_verified(server) ? "1" : "0");  // later versions check unless told not to
  if (!server.ca_file.empty()) options.add("ssl-ca", server.ca_file);
  if (!server.cert_file.empty()) options.add("ssl-cert", server.cert_file);
  if (!server.key_file.empty()) options.add("ssl-key", server.key_file);
}

std::string connect_string(const DatabaseServer& server, const SessionPatience& patience) {
  HostOptions options;
  const bool is_socket = server.host.starts_with('/');
  options.add(is_socket ? "socket" : "host", server.host);
  if (!is_socket) {
    options.add("port", std::to_string(server.port));
    options.add("protocol", std::to_string(MYSQL_PROTOCOL_TCP));  // else "localhost" is a socket, of any server
  }
  options.add("connect-timeout", std::to_string(whole_seconds(patience.reach)));
  options.add("read-timeout", std::to_string(whole_seconds(patience.answer)));
  options.add("write-timeout", std::to_string(whole_seconds(patience.answer)));
  if (!is_verified(server) && !is_socket) options.add("restricted-auth", kSafeLogins);
  add_tls(options, server);
  return "host=" + quoted(options.text()) + " user=" + quoted(server.user) +
         " password=" + quoted(server.password.expose()) + " dbname=" + quoted(server.database) + " charset='utf8mb4'";
}

unsigned version_of(MYSQL* handle) { return static_cast<unsigned>(mysql_get_server_version(handle)); }

}  // namespace

const Dialect& MysqlBackend::dialect() const { return mysql_words(is_mariadb_); }

std::string MysqlBackend::where() const { return "MySQL at " + address_text(server_); }

std::unique_ptr<soci::session> MysqlBackend::connect(const SessionPatience& patience) {
  std::string text = connect_string(server_, patience);
  std::unique_ptr<soci::session> session;
  try {
    session = std::make_unique<soci::session>(*soci::factory_mysql(), text);
  } catch (...) {
    wipe(text);
    throw;
  }
  wipe(text);
  check_tls(*session);
  is_mariadb_ = mariadb_connection(handle_of(*session)) != 0;
  return session;
}

void MysqlBackend::set_up(soci::session& session, const SessionPatience& patience) {
  run(session,
      "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT,ERROR_FOR_DIVISION_BY_ZERO',"
      " time_zone = '+00:00', autocommit = 1,"
      " innodb_lock_wait_timeout = " +
          std::to_string(whole_seconds(patience.lock)) +
          ", lock_wait_timeout = " + std::to_string(whole_seconds(patience.lock)));
  // The variable has another name in each of the two.
  run(session, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
}

// A server without TLS is not an error to libmariadb where only encryption was asked for.
void MysqlBackend::check_tls(soci::session& session) const {
  if (server_.tls == DatabaseTls::kDisable || server_.tls == DatabaseTls::kPrefer) return;
  if (mysql_get_ssl_cipher(handle_of(session)) == nullptr) throw NoTls("the server offers no TLS");
}

Result<void> MysqlBackend::examine(soci::session& session) {
  const unsigned version = version_of(handle_of(session));
  const unsigned oldest = is_mariadb_ ? kOldestMariadb : kOldestMysql;
  if (version >= oldest) return {};
  const auto text = [](unsigned number) {
    return std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100);
  };
  return Error{.code = ErrorCode::kStoreRefused,
               .message = where() + " is " + (is_mariadb_ ? "MariaDB " : "MySQL ") + text(version) +
                          "; it must be MySQL 8.0 or MariaDB 10.5 at least: upgrade the server.",
               .field = "host"};
}

int MysqlBackend::socket_of(soci::session& session) const {
  return static_cast<int>(mysql_get_socket(handle_of(session)));
}

bool MysqlBackend::undo(soci::session& session) noexcept {
  return mysql_real_query(handle_of(session), "ROLLBACK", 8) == 0;
}

SqlFailure MysqlBackend::explain(const soci::soci_error& error) const { return explain_mysql(error, server_, where()); }

}  // namespace akr
