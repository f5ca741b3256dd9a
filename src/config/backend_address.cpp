#include "config/backend_address.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/ip_address.hpp"
#include "base/strings.hpp"
#include "config/database_options.hpp"

namespace akr {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::string_view kEncode =
    "; in a user or password write '/' as %2F, '@' as %40, '?' as %3F, '#' as %23, ':' as %3A and '%' as %25";

using Parts = std::pair<std::string_view, std::string_view>;

// Before and after the separator; all before it if there is none.
Parts cut(std::string_view text, std::size_t at) {
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

Error wrong(std::string_view reason, std::string_view remedy = {}) {
  return {.code = ErrorCode::kInvalid, .message = std::string(reason).append(remedy)};
}

// Names and addresses only: a host with a '?', '#' or '%' in it is one that others would end elsewhere.
bool is_host(std::string_view text, bool in_brackets) {
  if (in_brackets && text.find(':') == std::string_view::npos) return false;
  return !text.empty() && std::ranges::all_of(text, [in_brackets](char c) {
    const char lower = ascii_lower(c);
    if (c >= '0' && c <= '9') return true;
    if (in_brackets) return (lower >= 'a' && lower <= 'f') || c == ':' || c == '.';
    return (lower >= 'a' && lower <= 'z') || c == '-' || c == '.' || c == '_';
  });
}

Result<std::string> decode(std::string_view text) {
  auto plain = percent_decode(text);
  if (!plain) return wrong("a '%' in it is not followed by two hexadecimal digits", kEncode);
  if (plain->find('\0') != std::string::npos) return wrong("it holds a %00, which no server takes");
  return *std::move(plain);
}

Result<void> read_port(std::string_view text, std::uint16_t& into) {
  const auto number = parse_u64(text);
  if (!number || *number == 0 || *number > 65535) return wrong("its port is not a number from 1 to 65535", kEncode);
  into = static_cast<std::uint16_t>(*number);
  return {};
}

struct Authority {
  std::string user;
  Secret password;
  std::string host;
  std::uint16_t port = 0;
};

// Empty: nothing is said.  "%2Frun%2Fpostgresql" is a path, as libpq has it.
Result<void> read_host_port(std::string_view text, Authority& into) {
  if (text.empty()) return {};
  std::string_view port;
  const bool in_brackets = text.starts_with('[');
  const Error no_host = wrong("its host is no host name or IP address", kEncode);
  if (in_brackets) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return no_host;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return no_host;
    port = rest.empty() ? rest : rest.substr(1);
    text = text.substr(1, close - 1);
  } else {
    std::tie(text, port) = cut(text, text.find(':'));
  }
  const auto path = percent_decode(text);
  const bool is_path = path && istarts_with(text, "%2f");
  if (!is_path && !is_host(text, in_brackets)) return no_host;
  into.host = is_path ? *path : std::string(text);
  if (port.empty()) return {};
  return read_port(port, into.port);
}

// "user:password@host:port".  The '@' stands last before the host, so a password may hold one.
Result<Authority> read_authority(std::string_view text) {
  Authority made;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto [user, password] = cut(text.substr(0, at), text.substr(0, at).find(':'));
    auto plain_user = decode(user);
    if (!plain_user) return plain_user.error();
    auto plain_password = decode(password);
    if (!plain_password) return plain_password.error();
    made.user = *std::move(plain_user);
    made.password = Secret(*plain_password);
    wipe(*plain_password);
    text.remove_prefix(at + 1);
  }
  if (auto read = read_host_port(text, made); !read) return read.error();
  return made;
}

// Options win over what stands before them.
Result<DatabaseUrl> with_options(DatabaseKind kind, Authority authority, std::string database,
                                 std::string_view options_text) {
  auto options = read_database_options(kind, options_text);
  if (!options) return options.error();
  if (!options->host.empty()) authority.host = std::move(options->host);
  if (!options->user.empty()) authority.user = std::move(options->user);
  if (!options->password.empty()) authority.password = std::move(options->password);
  if (!options->database.empty()) database = std::move(options->database);
  if (!options->port.empty()) {
    if (auto read = read_port(options->port, authority.port); !read) return read.error();
  }
  if (!authority.host.empty() && !is_database_host(authority.host)) {
    return wrong("its host is no host name, IP address or absolute path of a socket");
  }
  DatabaseServer server = {.host = std::move(authority.host),
                           .port = authority.port,
                           .user = std::move(authority.user),
                           .password = std::move(authority.password),
                           .database = std::move(database),
                           .ca_file = std::move(options->ca_file),
                           .cert_file = std::move(options->cert_file),
                           .key_file = std::move(options->key_file)};
  return DatabaseUrl{.says = {.kind = kind, .server = std::move(server)}, .tls = options->tls};
}

// scheme:// is gone.  The options may follow the host at once: "db?dbname=keys".
Result<DatabaseUrl> parse_server_url(DatabaseKind kind, std::string_view text) {
  std::string_view authority_text = text.substr(0, text.find('/'));
  const std::size_t at = authority_text.rfind('@');
  authority_text = authority_text.substr(0, authority_text.find('?', at == std::string_view::npos ? 0 : at));
  const std::string_view behind = text.substr(authority_text.size());
  // What follows a '/' in a password would be read as anything but a password.
  if (behind.find('@') != std::string_view::npos) return wrong("an '@' stands behind its host", kEncode);
  auto authority = read_authority(authority_text);
  if (!authority) return authority.error();
  const auto [path, options] = cut(behind, behind.find('?'));
  auto name = decode(path.substr(path.starts_with('/') ? 1 : 0));
  if (!name) return name.error();
  return with_options(kind, *std::move(authority), *std::move(name), options);
}

// Go's driver cuts at the last '@' before the protocol, so that passwords may hold anything.
Result<DatabaseUrl> parse_go_dsn(std::string_view text) {
  const Error shape = wrong("it is not USER:PASSWORD@tcp(HOST:PORT)/NAME or USER:PASSWORD@unix(PATH)/NAME");
  const std::size_t close = text.rfind(")/");
  if (close == std::string_view::npos) return shape;
  const std::string_view left = text.substr(0, close);
  const std::size_t tcp = left.rfind("tcp(");
  const std::size_t unix_socket = left.rfind("unix(");
  if (tcp == std::string_view::npos && unix_socket == std::string_view::npos) return shape;
  const bool is_socket = tcp == std::string_view::npos || (unix_socket != std::string_view::npos && unix_socket > tcp);
  const std::size_t open = is_socket ? unix_socket + 4 : tcp + 3;
  const std::string_view before = left.substr(0, open + 1);  // "user:password@tcp("
  Authority authority;
  if (const std::size_t at = before.rfind('@'); at != std::string_view::npos) {
    const auto [user, password] = cut(before.substr(0, at), before.substr(0, at).find(':'));
    authority.user = user;
    authority.password = Secret(password);
  }
  const std::string_view host = left.substr(open + 1);
  if (host.empty()) return shape;
  if (is_socket) {
    if (!host.starts_with('/')) return shape;
    authority.host = host;
  } else if (auto read = read_host_port(host, authority); !read) {
    return read.error();
  }
  const auto [name, options] = cut(text.substr(close + 2), text.substr(close + 2).find('?'));
  return with_options(DatabaseKind::kMysql, std::move(authority), std::string(name), options);
}

bool is_go_dsn(std::string_view text) {
  return text.starts_with("tcp(") || text.starts_with("unix(") || text.find("@tcp(") != std::string_view::npos ||
         text.find("@unix(") != std::string_view::npos;
}

// "postgresql+psycopg2" is PostgreSQL.
DatabaseKind kind_of_scheme(std::string_view scheme) {
  scheme = scheme.substr(0, scheme.find('+'));
  if (iequals(scheme, "file")) return DatabaseKind::kSqlite;
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    for (std::string_view word : row.words) {
      if (iequals(scheme, word)) return row.kind;
    }
  }
  return DatabaseKind::kUnset;
}

Error unknown_scheme() {
  std::string reason = "it is neither USER:PASSWORD@tcp(HOST:PORT)/NAME nor does it begin with one of sqlite:";
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    if (!is_server(row.kind)) continue;
    for (std::string_view word : row.words) reason.append(", ").append(word).append("://");
  }
  return wrong(reason);
}

}  // namespace

bool is_database_host(std::string_view text) {
  return is_host(text, false) || parse_ip(text).has_value() || (text.starts_with('/') && text.size() > 1);
}

Result<DatabaseUrl> parse_database_url(std::string_view url) {
  url = trim(url);
  constexpr std::string_view kJdbc = "jdbc:";
  if (istarts_with(url, kJdbc)) url.remove_prefix(kJdbc.size());
  const auto [scheme, behind] = cut(url, url.find(':'));
  const DatabaseKind kind = kind_of_scheme(scheme);
  const bool has_slashes = behind.starts_with("//");
  const std::string_view rest = has_slashes ? behind.substr(2) : behind;
  if (kind == DatabaseKind::kSqlite) {
    if (rest.empty()) return wrong("it names no file; write sqlite:PATH");
    return DatabaseUrl{.says = {.kind = kind, .file = std::string(rest)}, .tls = {}};
  }
  if (kind == DatabaseKind::kMysql && has_slashes && is_go_dsn(rest)) return parse_go_dsn(rest);
  if (is_server(kind) && has_slashes) return parse_server_url(kind, rest);
  if (is_go_dsn(url)) return parse_go_dsn(url);
  return unknown_scheme();
}

Result<DatabaseAddress> complete_address(DatabaseUrl url) {
  DatabaseAddress address = std::move(url.says);
  if (!is_server(address.kind)) return address;
  DatabaseServer& server = address.server;
  if (server.host.empty()) return wrong("it names no host; write HOST before /NAME");
  if (server.database.empty()) return wrong("it names no database; put /NAME behind the host");
  if (server.cert_file.empty() != server.key_file.empty()) {
    return wrong("a certificate needs its key, and a key its certificate");
  }
  if (server.port == 0) server.port = row_of(address.kind).server.port;
  if (server.user.empty()) server.user = row_of(address.kind).server.user;
  const bool has_ca = !server.ca_file.empty();
  server.tls = url.tls.value_or(has_ca ? DatabaseTls::kVerifyCa : DatabaseTls::kPrefer);
  if (has_ca && server.tls == DatabaseTls::kRequire) server.tls = DatabaseTls::kVerifyCa;
  return address;
}

std::string without_password(const DatabaseAddress& address) {
  std::string text(row_of(address.kind).words.front());
  if (!is_server(address.kind)) return text + ":" + address.file;
  const DatabaseServer& server = address.server;
  text += "://" + percent_encode(server.user) + "@";
  const bool in_brackets = server.host.find(':') != std::string::npos;
  text += server.host.starts_with('/') ? percent_encode(server.host)
          : in_brackets                ? "[" + server.host + "]"
                                       : server.host;
  return text + ":" + std::to_string(server.port) + "/" + percent_encode(server.database);
}

std::optional<ServerAddress> parse_redis_url(std::string_view url) {
  url = trim(url);
  const bool tls = istarts_with(url, "rediss://");
  if (!tls && !istarts_with(url, "redis://")) return std::nullopt;
  url.remove_prefix(url.find("//") + 2);
  const auto [authority_text, path] = cut(url, url.find('/'));
  const auto authority = read_authority(authority_text);
  if (!authority || authority->host.empty() || authority->host.starts_with('/')) return std::nullopt;
  const std::string_view number = path.substr(0, path.find('?'));
  if (!number.empty() && !parse_u64(number)) return std::nullopt;
  return ServerAddress{.host = authority->host,
                       .port = authority->port == 0 ? kRedisPort : authority->port,
                       .user = authority->user,
                       .password = authority->password,
                       .database = std::string(number),
                       .tls = tls};
}

}  // namespace akr
