#include "config/database_settings.hpp"

#include <utility>

#include "base/strings.hpp"
#include "config/backend_address.hpp"

namespace akr {
namespace {

// The MYSQL_* names are not about PostgreSQL.  nullptr: none was given.
const Setting<std::string>* given_host(const Settings& settings, DatabaseKind kind) {
  if (settings.db_host.given()) return &settings.db_host;
  if (kind != DatabaseKind::kMysql) return nullptr;
  if (settings.mysql_db_host.given()) return &settings.mysql_db_host;
  return settings.mysql_host.given() ? &settings.mysql_host : nullptr;
}

Result<DatabaseUrl> read_url(const Settings& settings) {
  if (!settings.database_url.given()) return DatabaseUrl{};
  auto url = parse_database_url(settings.database_url().expose());
  if (!url) return settings.database_url.refusal(url.error().message);
  return url;
}

// A server that DB_HOST names beside another one's DATABASE_URL may be left over from it: its password is not for this.
bool same_server(const Settings& settings, const DatabaseUrl& url) {
  const auto* host = given_host(settings, url.says.kind);
  return host == nullptr || url.says.server.host.empty() || iequals((*host)(), url.says.server.host);
}

Result<void> fill_host(const Settings& settings, DatabaseUrl& url) {
  DatabaseServer& server = url.says.server;
  if (!server.host.empty()) return {};
  if (const auto* host = given_host(settings, url.says.kind)) {
    if (!is_database_host((*host)())) {
      return host->refusal(
          "a host name, an IP address without brackets, or the absolute path of a socket; a port goes "
          "into DB_PORT");
    }
    server.host = (*host)();
  } else if (!settings.database_url.given()) {
    server.host = "localhost";
  }
  if (server.port == 0) server.port = static_cast<std::uint16_t>(settings.db_port());
  return {};
}

void fill_tls(const Settings& settings, DatabaseUrl& url) {
  DatabaseServer& server = url.says.server;
  if (!url.tls && settings.db_ssl_mode.given()) url.tls = settings.db_ssl_mode();
  if (server.ca_file.empty()) server.ca_file = settings.db_ssl_ca();
  if (!server.cert_file.empty() || !server.key_file.empty()) return;
  server.cert_file = settings.db_ssl_cert();
  server.key_file = settings.db_ssl_key();
}

Result<DatabaseAddress> server_address(const Settings& settings, DatabaseUrl url) {
  const bool same = same_server(settings, url);
  if (auto filled = fill_host(settings, url); !filled) return filled.error();
  DatabaseServer& server = url.says.server;
  if (same && server.user.empty()) server.user = settings.db_user();
  if (same && server.password.empty()) server.password = settings.db_password();
  // Its default is for those who write no address at all.
  const bool name_counts = settings.db_name.given() ? same : !settings.database_url.given();
  if (name_counts && server.database.empty()) server.database = settings.db_name();
  fill_tls(settings, url);
  if (server.cert_file.empty() != server.key_file.empty()) {
    const SettingBase& missing =
        server.cert_file.empty() ? static_cast<const SettingBase&>(settings.db_ssl_cert) : settings.db_ssl_key;
    return missing.refusal("a certificate needs its key, and a key its certificate; set DB_SSL_CERT and DB_SSL_KEY");
  }
  auto address = complete_address(std::move(url));
  if (!address) return settings.database_url.refusal(address.error().message);
  return address;
}

Result<DatabaseAddress> sqlite_address(const Settings& settings, const DatabaseUrl& url) {
  const bool named = url.says.kind == DatabaseKind::kSqlite;
  if (named && settings.database_path.given() && url.says.file != settings.database_path()) {
    return settings.database_url.refusal("it names another file than DATABASE_PATH; set only one of them");
  }
  return DatabaseAddress{.kind = DatabaseKind::kSqlite, .file = named ? url.says.file : settings.database_path()};
}

}  // namespace

Result<DatabaseAddress> read_database_address(const Settings& settings) {
  auto url = read_url(settings);
  if (!url) return url.error();
  const DatabaseKind asked = settings.db_type();
  const DatabaseKind named = url->says.kind;
  if (asked == DatabaseKind::kSqlite || (asked == DatabaseKind::kUnset && !is_server(named))) {
    return sqlite_address(settings, *url);
  }
  if (asked != DatabaseKind::kUnset && named != DatabaseKind::kUnset && asked != named) {
    return settings.db_type.refusal("DATABASE_URL is the address of another kind of database; set only one of them");
  }
  url->says.kind = asked == DatabaseKind::kUnset ? named : asked;
  return server_address(settings, *std::move(url));
}

std::string overruled_settings(const Settings& settings, const DatabaseAddress& address) {
  const DatabaseServer& server = address.server;
  std::string names;
  const auto look = [&names](const SettingBase& setting, bool differs) {
    if (setting.given() && differs) names.append(names.empty() ? "" : ", ").append(setting.name());
  };
  const auto* host = given_host(settings, address.kind);
  if (host != nullptr) look(*host, !iequals((*host)(), server.host));
  look(settings.db_port, settings.db_port() != 0 && settings.db_port() != server.port);
  look(settings.db_user, settings.db_user() != server.user);
  look(settings.db_password, !settings.db_password().equals(server.password.expose()));
  look(settings.db_name, settings.db_name() != server.database);
  look(settings.db_ssl_mode, settings.db_ssl_mode() > server.tls);
  look(settings.db_ssl_ca, settings.db_ssl_ca() != server.ca_file);
  look(settings.db_ssl_cert, settings.db_ssl_cert() != server.cert_file);
  look(settings.db_ssl_key, settings.db_ssl_key() != server.key_file);
  return names;
}

std::string setting_of_part(const Settings& settings, std::string_view part) {
  const auto url = read_url(settings);
  const bool has_url = settings.database_url.given();
  std::string whole =
      has_url ? std::string(settings.database_url.name())
              : given_names({&settings.db_type, &settings.db_host, &settings.mysql_db_host, &settings.mysql_host});
  if (!url) return whole;
  const DatabaseServer& said = url->says.server;
  const bool fills_in = has_url && same_server(settings, *url);
  const auto choose = [&](bool left_out, const SettingBase& other) {
    return left_out && (!has_url || (fills_in && other.given())) ? std::string(other.name()) : whole;
  };
  if (part == "host") {
    const auto* host = given_host(settings, has_url ? url->says.kind : settings.db_type());
    return choose(said.host.empty(), host != nullptr ? *host : settings.db_host);
  }
  if (part == "user") return choose(said.user.empty(), settings.db_user);
  if (part == "password") return choose(said.password.empty(), settings.db_password);
  if (part == "database") return choose(said.database.empty(), settings.db_name);
  if (part != "tls") return whole;
  const std::string tls =
      given_names({&settings.db_ssl_mode, &settings.db_ssl_ca, &settings.db_ssl_cert, &settings.db_ssl_key});
  if (has_url) return tls.empty() ? whole : whole + ", " + tls;
  return tls.empty() ? std::string(settings.db_ssl_mode.name()) : tls;
}

}  // namespace akr
